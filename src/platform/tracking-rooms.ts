import type { ArtifactStore, Clock, MetadataStore } from "../core/ports/index.ts";
import { createRegistry, type Registry } from "../core/registry/index.ts";
import type { Scope } from "../core/scope.ts";
import { createTracking, type Tracking } from "../core/tracking/index.ts";
import { platformErrors } from "./errors.ts";
import { type ModelDecisions, plainDecisions } from "./plain-decisions.ts";

/** What was tried in one project, and which models came of it. */
export interface TrackingRoom {
  readonly scope: Scope;
  readonly tracking: Tracking;
  readonly registry: Registry;
  readonly decisions: ModelDecisions;
  readonly artifacts: ArtifactStore;
  /** Makes what every client expects to find (the experiment "Default"); undefined once it is there. */
  prepare(): Promise<void> | undefined;
}

export interface TrackingRooms {
  readonly workspace: string;
  /** Any project of the workspace; there is nothing in one that nobody has written to. @throws PROJECT_UNKNOWN for what cannot be a name */
  of(project: string): TrackingRoom;
}

export interface TrackingRoomsOptions {
  readonly store: MetadataStore;
  readonly artifacts: ArtifactStore;
  readonly clock: Clock;
  readonly workspace: string;
  /** Rooms that are open already, with what else follows from their decisions. */
  readonly own?: readonly Omit<TrackingRoom, "prepare">[];
}

const PROJECT_NAME = /^[a-zA-Z0-9][\w.-]{0,99}$/;
/** Whoever asks for ever new names shall not fill the memory. */
const MOST_OPEN = 1_000;

/** Rooms of any number of projects on one store, made at the first use. */
export function trackingRooms({ store, artifacts, clock, workspace, own = [] }: TrackingRoomsOptions): TrackingRooms {
  const owned = new Map(own.map((room) => [room.scope.project, prepared(room)]));
  const open = new Map<string, TrackingRoom>();
  return {
    workspace,
    of(project) {
      const found = owned.get(project) ?? open.get(project);
      if (found !== undefined) return found;
      if (!PROJECT_NAME.test(project))
        throw platformErrors.PROJECT_UNKNOWN(`${JSON.stringify(project.slice(0, 100))} cannot be a project`);
      const scope = { workspace, project };
      const registry = createRegistry({ store, clock, scope });
      const tracking = createTracking({ store, artifacts, clock, scope });
      const room = prepared({ scope, tracking, registry, artifacts, decisions: plainDecisions(registry) });
      const [oldest] = open.keys();
      if (open.size >= MOST_OPEN && oldest !== undefined) open.delete(oldest);
      open.set(project, room);
      return room;
    },
  };
}

function prepared(room: Omit<TrackingRoom, "prepare">): TrackingRoom {
  let state: "new" | "ready" | Promise<void> = "new";
  return {
    ...room,
    prepare() {
      if (state === "ready") return undefined;
      if (state === "new")
        state = room.tracking.experiments.ensureDefault().then(
          () => {
            state = "ready";
          },
          (error: unknown) => {
            state = "new";
            throw error;
          },
        );
      return state;
    },
  };
}
