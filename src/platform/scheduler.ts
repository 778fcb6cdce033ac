import { Cron } from "croner";
import type { TriggerDefinition } from "../core/definitions/index.ts";
import { toOrreryError } from "../core/errors.ts";
import type { AffineChange, RankedCause } from "../core/monitoring/index.ts";
import type { PipelineLog } from "../core/pipelines/index.ts";
import type { VirtualClock } from "../core/ports/index.ts";
import { systemActor } from "../core/scope.ts";
import { durationToMicros, formatTimestamp, fromDate, type Micros, toDate } from "../core/time.ts";
import type { UnitChanges } from "../core/training/index.ts";
import { canaryEnds, finishCanary } from "./canary.ts";
import type { Suspicion } from "./plans.ts";
import type { Platform } from "./platform.ts";
import type { MonitoredWindow } from "./stages/monitor.ts";
import { freshnessEvery, recordFreshness } from "./view-freshness.ts";

export interface Scheduler {
  /** Does everything that falls due up to now, one thing after another, each at its own time. Returns the pipeline runs it started. */
  catchUp(): Promise<string[]>;
  /** Moves a virtual clock, stopping wherever something falls due. */
  advance(clock: VirtualClock, to: Micros): Promise<string[]>;
  /** Looks at the clock every second, until stopped. */
  start(): void;
  stop(): Promise<void>;
}

/** Something that is to happen at a time. */
interface Due {
  readonly at: Micros;
  run(): Promise<string | null>;
}

const TICK_MS = 1_000;

/** Materialization, cron pipelines, canaries and pipelines that alerts start; everything asks the platform's clock. */
export function createScheduler(platform: Platform, log: PipelineLog): Scheduler {
  const { project, clock } = platform;
  let materializeAt = Math.floor(clock.now() / project.materializeEvery) * project.materializeEvery + project.materializeEvery;
  const cronAt = new Map(
    project.pipelines.flatMap(({ name, schedule }) =>
      schedule === undefined ? [] : [[name, nextCron(schedule, clock.now())] as const],
    ),
  );
  const lookEvery = freshnessEvery(project.features);
  let freshnessAt = lookEvery === null ? null : clock.now() + lookEvery;
  let working: Promise<string[]> = Promise.resolve([]);
  let timer: NodeJS.Timeout | null = null;

  async function nextDue(): Promise<Due | null> {
    const due: Due[] = [
      {
        at: materializeAt,
        run: async () => {
          materializeAt += project.materializeEvery;
          // Before the first pipeline run there is nothing that anybody would read.
          if ((await platform.registry.models()).length > 0) await platform.refresh();
          return null;
        },
      },
    ];
    if (freshnessAt !== null && lookEvery !== null)
      due.push({
        at: freshnessAt,
        run: async () => {
          // After a long pause once, and not for every moment that passed.
          freshnessAt = Math.max((freshnessAt ?? 0) + lookEvery, clock.kind === "virtual" ? 0 : clock.now());
          await recordFreshness(platform);
          return null;
        },
      });
    for (const [name, at] of cronAt) {
      const { schedule = "" } = platform.pipelineNamed(name);
      due.push({
        at,
        run: async () => {
          cronAt.set(name, nextCron(schedule, at));
          const runId = await platform.startPipeline(name, {
            trigger: { kind: "schedule", reason: `every ${schedule}` },
            actor: systemActor("scheduler"),
            dedupeKey: `schedule:${name}:${formatTimestamp(at)}`,
          });
          await platform.pipelines.wait(runId);
          return runId;
        },
      });
    }
    for (const endpoint of project.endpoints) {
      const ends = canaryEnds(platform, endpoint);
      if (ends !== null) due.push({ at: ends, run: () => finishCanary(platform, endpoint).then(() => null) });
    }
    due.push(...(await alertTriggers(platform)));
    due.sort((a, b) => a.at - b.at);
    return due[0] ?? null;
  }

  /** With a virtual clock, each thing happens at its own moment; with the machine's, as soon as it is noticed. */
  async function doAllUntil(until: Micros): Promise<string[]> {
    const started: string[] = [];
    for (;;) {
      const next = await nextDue();
      if (next === null || next.at > until) return started;
      if (clock.kind === "virtual") (clock as VirtualClock).advanceTo(next.at);
      try {
        const runId = await next.run();
        if (runId !== null) started.push(runId);
      } catch (error) {
        const { code, message } = toOrreryError(error);
        log.error({ code, err: error }, message);
      }
    }
  }

  // One at a time, whoever asks: two materializations at once would only wait for each other.
  const serially = (work: () => Promise<string[]>): Promise<string[]> => {
    working = working.then(work, work);
    return working;
  };

  return {
    catchUp: () => serially(() => doAllUntil(clock.now())),
    advance: (virtual, to) =>
      serially(async () => {
        const started = await doAllUntil(to);
        virtual.advanceTo(to);
        return started;
      }),
    start() {
      timer = setInterval(() => void this.catchUp(), TICK_MS).unref();
    },
    async stop() {
      if (timer !== null) clearInterval(timer);
      await working.catch(() => undefined);
    },
  };
}

const nextCron = (schedule: string, after: Micros): Micros => {
  const next = new Cron(schedule, { timezone: "UTC", paused: true }).nextRun(toDate(after));
  return next === null ? Number.POSITIVE_INFINITY : fromDate(next);
};

/** Pipelines that open alerts start, each at the moment when its evidence is due and its cool-down is over. */
async function alertTriggers(platform: Platform): Promise<Due[]> {
  const { project, store, scope, clock } = platform;
  const due: Due[] = [];
  for (const pipeline of project.pipelines) {
    for (const trigger of pipeline.on) {
      if (trigger.kind !== "alert") continue;
      const alert = await store.db
        .selectFrom("alerts")
        .select(["id", "endpoint", "title", "since", "opened_at", "causes"])
        .where("workspace", "=", scope.workspace)
        .where("project", "=", scope.project)
        .where("kind", "=", trigger.alert)
        .where("status", "!=", "resolved")
        .where("triggered_run_id", "is", null)
        .orderBy("opened_at")
        .executeTakeFirst();
      if (alert === undefined) continue;
      const suspicion: Suspicion = {
        since: alert.since,
        source: suspectSource(platform, JSON.parse(alert.causes) as RankedCause[]),
        units: await recognisedUnits(platform, alert.endpoint, alert.since),
        champion: await championCandidate(platform, pipeline.model.name),
      };
      due.push({
        at: Math.max(
          alert.opened_at,
          evidenceDue(platform, trigger, alert.since),
          await coolDownOver(platform, pipeline.name, trigger),
        ),
        run: async () => {
          const runId = await platform.startPipeline(pipeline.name, {
            trigger: { kind: "alert", reason: alert.title },
            actor: systemActor("scheduler"),
            dedupeKey: `alert:${alert.id}`,
            suspicion,
          });
          await store.db
            .updateTable("alerts")
            .set({ triggered_run_id: runId })
            .where("workspace", "=", scope.workspace)
            .where("project", "=", scope.project)
            .where("id", "=", alert.id)
            .execute();
          await platform.pipelines.wait(runId);
          return runId;
        },
      });
    }
  }
  return due.map((each) => ({ ...each, at: Math.max(each.at, clock.kind === "virtual" ? clock.now() : each.at) }));
}

/** When the labels of the trigger's evidence since the alert's onset are due. */
function evidenceDue({ project }: Platform, trigger: TriggerDefinition & { kind: "alert" }, since: Micros): Micros {
  const lead = Math.max(0, ...project.models.map(({ labels }) => labels.lead));
  return since + trigger.evidence + lead + durationToMicros(project.charter.target.groundTruthAfter);
}

async function coolDownOver(
  { pipelines }: Platform,
  pipeline: string,
  trigger: TriggerDefinition & { kind: "alert" },
): Promise<Micros> {
  const { items } = await pipelines.list({ pipeline, limit: 50 });
  const last = items.find((run) => run.trigger.kind === "alert");
  return last === undefined ? 0 : last.createdAt + trigger.cooldown;
}

/** Changes of units that monitoring could name since the onset; of several for one feature, the one seen in most windows. */
async function recognisedUnits({ store, scope }: Platform, endpoint: string, since: Micros): Promise<UnitChanges> {
  const rows = await store.db
    .selectFrom("monitor_results")
    .select("report")
    .where("workspace", "=", scope.workspace)
    .where("project", "=", scope.project)
    .where("endpoint", "=", endpoint)
    .where("kind", "=", "drift")
    .where("window_start", ">=", since)
    .execute();
  const found = rows.flatMap(({ report }) => (JSON.parse(report) as MonitoredWindow).report.drift?.changes ?? []);
  const byFeature = Map.groupBy(
    found.filter(({ name }) => name !== null),
    ({ feature }) => feature,
  );
  return Object.fromEntries(
    [...byFeature].map(([feature, seen]) => {
      const [often = seen] = [...Map.groupBy(seen, ({ name }) => name).values()].sort((a, b) => b.length - a.length);
      const { factor, offset } = often[0] as AffineChange;
      return [feature, { factor, offset }];
    }),
  );
}

/** Versions are described by their variant: the candidate's name, then what was done to it. */
async function championCandidate({ registry, project }: Platform, model: string): Promise<string | null> {
  const champion = await registry.byAlias(model, "champion");
  const candidates = project.models.find(({ name }) => name === model)?.candidates ?? [];
  return (
    candidates.find(({ name }) => champion?.description === name || champion?.description.startsWith(`${name} `))?.name ?? null
  );
}

/** The source that the first-ranked cause points at, by name or through the feature it names. */
function suspectSource({ project }: Platform, [first]: readonly RankedCause[]): string | null {
  if (first === undefined) return null;
  const [kind, ...rest] = first.subject.split(" ");
  if (kind === "source") return rest.join(" ");
  // By the models' features: a view may be asked for by other names than its own.
  const suspect = project.models.flatMap(({ features }) => features).find(({ id }) => first.features.includes(id));
  return suspect?.from.kind === "feature-view" ? suspect.from.source.name : null;
}
