import { Checkbox, SegmentedControl } from "@mantine/core";
import type { ReactNode } from "react";
import { AXES, AXIS_LABELS, type Axis } from "./curves.ts";

interface CurveControlsProps {
  axis: Axis;
  logarithmic: boolean;
  onAxis: (axis: Axis) => void;
  onLogarithmic: (logarithmic: boolean) => void;
  /** What says which metrics are drawn. */
  choice: ReactNode;
}

export function CurveControls({ axis, logarithmic, onAxis, onLogarithmic, choice }: CurveControlsProps) {
  return (
    <div className="row" style={{ alignItems: "end" }}>
      {choice}
      <SegmentedControl
        aria-label="What the values stand over"
        data={AXES.map((value) => ({ value, label: AXIS_LABELS[value] }))}
        value={axis}
        onChange={onAxis}
      />
      <Checkbox
        label="Logarithmic"
        checked={logarithmic}
        onChange={(event) => onLogarithmic(event.currentTarget.checked)}
        style={{ paddingBottom: 6 }}
      />
    </div>
  );
}
