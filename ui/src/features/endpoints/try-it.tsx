import { Button, Select, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import type { Answer, Endpoint } from "../../../../src/contract/index.ts";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { formatShare } from "../../components/format.ts";
import { useClient } from "../../session.tsx";
import { EXPECTED, exampleOf, type Field, formFields, type Instance, parseInstance } from "./prepare.ts";

export function TryIt({ endpoint }: { endpoint: Endpoint }) {
  const client = useClient();
  const fields = formFields(endpoint);
  const [typed, setTyped] = useState<Record<string, string>>({});
  const [problems, setProblems] = useState<Record<string, string>>({});
  const last = useQuery({
    queryKey: ["last-prediction", endpoint.name],
    queryFn: () => client.endpoints.predictions({ name: endpoint.name, limit: 1 }),
  });
  const ask = useMutation({
    mutationFn: (instance: Instance) => client.endpoints.predict({ name: endpoint.name, instances: [instance] }),
  });
  const example = last.data?.items[0];
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const parsed = parseInstance(fields, typed);
    setProblems(parsed.ok ? {} : parsed.problems);
    if (parsed.ok) ask.mutate(parsed.instance);
  };
  const answer = ask.data?.predictions[0];
  return (
    <form onSubmit={submit} className="stack" noValidate>
      <div className="columns tiles">
        {fields.map((field) => (
          <FieldInput
            key={field.name}
            field={field}
            value={typed[field.name] ?? ""}
            problem={problems[field.name]}
            onChange={(value) => setTyped({ ...typed, [field.name]: value })}
          />
        ))}
      </div>
      <div className="row">
        <Button type="submit" loading={ask.isPending}>
          Predict
        </Button>
        <Button
          variant="default"
          disabled={example === undefined}
          onClick={() => {
            if (example !== undefined) setTyped(exampleOf(example));
          }}
        >
          Fill in the last request
        </Button>
      </div>
      <div aria-live="polite">
        {ask.error === null ? null : <ErrorNotice error={ask.error} />}
        {answer === undefined ? null : <AnswerNotice answer={answer} />}
      </div>
    </form>
  );
}

interface FieldInputProps {
  field: Field;
  value: string;
  problem: string | undefined;
  onChange: (value: string) => void;
}

function FieldInput({ field, value, problem, onChange }: FieldInputProps) {
  const description = `${field.type}${field.role === "key" ? ", entity key" : ""}`;
  if (field.type === "bool") {
    return (
      <Select
        label={field.name}
        description={description}
        clearable
        data={["true", "false"]}
        value={value === "" ? null : value}
        onChange={(next) => onChange(next ?? "")}
        error={problem}
      />
    );
  }
  return (
    <TextInput
      label={field.name}
      description={description}
      placeholder={EXPECTED[field.type] ?? ""}
      value={value}
      error={problem}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

function AnswerNotice({ answer }: { answer: Answer }) {
  return (
    <div className="notice">
      <p>
        <strong>{formatShare(answer.probability)}</strong>: {answer.decision ? "act" : "do not act"}, says version{" "}
        {answer.modelVersion} ({answer.alias}).{" "}
        <Link to="/predictions/$id" params={{ id: answer.id }}>
          Look into this prediction
        </Link>
      </p>
      {answer.missing.length === 0 ? null : <p>No features were found for: {answer.missing.join(", ")}</p>}
    </div>
  );
}
