import { type ReactNode, useEffect, useId } from "react";

interface PageHeadProps {
  title: string;
  /** Where this page stands, above its title. */
  kicker?: ReactNode;
  about?: ReactNode;
  actions?: ReactNode;
}

export function PageHead({ title, kicker, about, actions }: PageHeadProps) {
  useEffect(() => {
    document.title = title === "Orrery" ? title : `${title} · Orrery`;
  }, [title]);
  return (
    <div className="page-head">
      <div>
        {kicker === undefined ? null : <div className="kicker">{kicker}</div>}
        <h1>{title}</h1>
        {about === undefined ? null : <p>{about}</p>}
      </div>
      {actions === undefined ? null : <div className="row">{actions}</div>}
    </div>
  );
}

interface PanelProps {
  title: string;
  about?: ReactNode;
  actions?: ReactNode;
  id?: string;
  children: ReactNode;
}

export function Panel({ title, about, actions, id, children }: PanelProps) {
  const heading = useId();
  return (
    <section className="panel" aria-labelledby={heading} id={id}>
      <header>
        <div>
          <h2 id={heading}>{title}</h2>
          {about === undefined ? null : <p>{about}</p>}
        </div>
        {actions}
      </header>
      <div className="body">{children}</div>
    </section>
  );
}

/** Wide content scrolls inside itself, reachable by keyboard, so that the page never scrolls sideways. */
export function ScrollX({ label, children }: { label: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard
    <section className="scroll-x" aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}

export function Tile({
  label,
  value,
  share,
  note,
}: {
  label: string;
  value: ReactNode;
  share?: number | null;
  note?: ReactNode;
}) {
  return (
    <div className="tile">
      <div className="label">{label}</div>
      <div className="value">{value}</div>
      {share === undefined || share === null ? null : (
        <div className="meter">
          <span style={{ width: `${Math.min(100, share * 100)}%` }} />
        </div>
      )}
      {note === undefined ? null : <div className="label">{note}</div>}
    </div>
  );
}
