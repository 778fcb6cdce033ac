import { Button, Modal } from "@mantine/core";
import { type ReactNode, useState } from "react";

interface AskFirstProps {
  /** The question. */
  title: string;
  /** What the buttons say. */
  verb: string;
  /** What the first button says to those who do not see where it stands. */
  label?: string;
  disabled?: boolean;
  loading?: boolean;
  onSure: () => void;
  /** What will happen. */
  children: ReactNode;
}

/** A button for what takes something away: it says what, and asks, before it does. */
export function AskFirst({ title, verb, label = verb, disabled = false, loading = false, onSure, children }: AskFirstProps) {
  const [asking, setAsking] = useState(false);
  const sure = () => {
    setAsking(false);
    onSure();
  };
  return (
    <>
      <Button
        size="compact-sm"
        variant="default"
        aria-label={label}
        disabled={disabled}
        loading={loading}
        onClick={() => setAsking(true)}
      >
        {verb}
      </Button>
      <Modal opened={asking} onClose={() => setAsking(false)} title={title} centered>
        <div className="stack" style={{ textAlign: "left" }}>
          <p style={{ margin: 0 }}>{children}</p>
          <div className="row">
            <Button color="red" onClick={sure} data-autofocus>
              {verb}
            </Button>
            <Button variant="default" onClick={() => setAsking(false)}>
              Cancel
            </Button>
          </div>
        </div>
      </Modal>
    </>
  );
}
