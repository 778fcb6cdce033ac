import type { Approval, Gate, ModelVersion, Promotion, VersionDiff, VersionLineage } from "../../core/registry/index.ts";
import { finite, optionalTime, time } from "./entity-values.ts";

export const versionEntity = (version: ModelVersion) => ({
  model: version.model,
  version: version.version,
  aliases: [...version.aliases],
  tags: { ...version.tags },
  runId: version.runId,
  artifact: version.artifact,
  source: version.source,
  status: version.status,
  stage: version.stage,
  createdAt: time(version.createdAt),
  updatedAt: time(version.updatedAt),
  actor: version.actor,
  description: version.description,
});

export const promotionEntity = ({ model: _, at, ...promotion }: Promotion) => ({ ...promotion, at: time(at) });

export const approvalEntity = ({ model: _, at, roles, ...approval }: Approval) => ({
  ...approval,
  roles: [...roles],
  at: time(at),
});

export const verdictEntity = ({ criterion, text, passed, observed, required, detail }: Gate["verdicts"][number]) => ({
  text,
  passed,
  waiting: criterion.kind === "approval" && passed === null,
  observed: finite(observed),
  required: finite(required),
  detail,
});

export const gateEntity = (gate: Gate) => ({
  id: gate.id,
  version: gate.version,
  championVersion: gate.championVersion,
  openedAt: time(gate.openedAt),
  state: gate.state,
  passed: gate.passed,
  verdicts: gate.verdicts.map(verdictEntity),
});

/** JSON has no word for what is not finite. */
const figure = (value: number | null) => (value === null || Number.isFinite(value) ? value : String(value));

export const diffEntity = (model: string, diff: VersionDiff) => ({
  model,
  from: diff.from,
  to: diff.to,
  params: [...diff.params],
  metrics: diff.metrics.map(({ key, from, to, by }) => ({ key, from: figure(from), to: figure(to), by })),
  tags: [...diff.tags],
  data: [...diff.data],
  trainingSet: diff.trainingSet,
  features: {
    added: [...diff.features.added],
    removed: [...diff.features.removed],
    changed: [...diff.features.changed],
    unknown: [...diff.features.unknown],
  },
  code: { commit: diff.code.commit, uncommitted: { ...diff.code.uncommitted } },
  algorithm: [...diff.algorithm],
  gates: {
    from: diff.gates.from === null ? null : gateEntity(diff.gates.from),
    to: diff.gates.to === null ? null : gateEntity(diff.gates.to),
  },
});

export const lineageEntity = ({ run, data, erased, ...lineage }: VersionLineage) => ({
  model: lineage.model,
  version: lineage.version,
  run: run === null ? null : { ...run, startedAt: time(run.startedAt) },
  loggedModel: lineage.loggedModel,
  copyOf: lineage.copyOf,
  data: data.map(({ asOf, ...each }) => ({ ...each, asOf: optionalTime(asOf) })),
  erased: erased.map(({ erasure, at, rows }) => ({ erasure, at: time(at), rows })),
  inputModels: [...lineage.inputModels],
});
