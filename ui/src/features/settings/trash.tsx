import { Button, Select } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { formatBytes, formatCount, formatInstant } from "../../components/format.ts";
import { Empty } from "../../components/loaded.tsx";
import { Panel } from "../../components/page.tsx";
import { useClient } from "../../session.tsx";
import { daysBefore, garbageRows } from "./prepare.ts";

const AGES = [
  { value: "0", label: "until now" },
  { value: "7", label: "more than 7 days ago" },
  { value: "30", label: "more than 30 days ago" },
];

/** What garbage collection would remove; it counts and removes nothing. */
export function Trash() {
  const client = useClient();
  const [age, setAge] = useState("30");
  const look = useMutation({
    mutationFn: async (days: number) => {
      const deletedBefore = daysBefore(days, Date.now());
      return { deletedBefore, garbage: await client.garbage.collect({ deletedBefore, dryRun: true }) };
    },
  });
  return (
    <Panel
      title="Trash"
      about="What was deleted can be restored until `orrery gc` removes it for good. This page counts and removes nothing."
    >
      <div className="stack">
        <div className="row" style={{ alignItems: "end" }}>
          <Select
            size="xs"
            label="Deleted"
            allowDeselect={false}
            data={AGES}
            value={age}
            onChange={(next) => {
              if (next !== null) setAge(next);
            }}
          />
          <Button size="xs" variant="default" loading={look.isPending} onClick={() => look.mutate(Number(age))}>
            Count
          </Button>
        </div>
        {look.error === null ? null : <ErrorNotice error={look.error} />}
        {look.data === undefined ? null : <Counted {...look.data} />}
      </div>
    </Panel>
  );
}

type CountedProps = { deletedBefore: string; garbage: Parameters<typeof garbageRows>[0] };

function Counted({ deletedBefore, garbage }: CountedProps) {
  const rows = garbageRows(garbage);
  if (rows.length === 0) return <Empty title={`Nothing was deleted before ${formatInstant(deletedBefore)}`} />;
  return (
    <>
      <p style={{ margin: 0 }}>
        Would be removed for good, {formatBytes(garbage.bytes)} in all, of what was deleted before {formatInstant(deletedBefore)}:
      </p>
      <table className="plain" style={{ maxWidth: 420 }}>
        <tbody>
          {rows.map(({ what, count }) => (
            <tr key={what}>
              <th scope="row">{what}</th>
              <td className="num">{formatCount(count)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
