import type { ArtifactFile } from "../../contract/index.ts";
import { withRun } from "./current-run.ts";
import { type EndStatus, type LogEntry, nextMicros, type RunOptions } from "./entries.ts";
import { trackerErrors } from "./errors.ts";
import type { RunDelivery } from "./run-delivery.ts";
import { type EndableRun, RunLog } from "./run-log.ts";
import type { RunHeader } from "./spool.ts";
import type { ArtifactSource } from "./tracking-server.ts";

/** A run on a server. */
export class ActiveRun extends RunLog implements EndableRun {
  readonly id: string;
  readonly header: RunHeader;
  readonly #delivery: RunDelivery;
  readonly #nest: (parent: ActiveRun, options: RunOptions) => Promise<ActiveRun>;
  readonly #onEnd: () => void;
  #ended = false;

  constructor(delivery: RunDelivery, nest: (parent: ActiveRun, options: RunOptions) => Promise<ActiveRun>, onEnd: () => void) {
    super();
    this.id = delivery.id;
    this.header = delivery.header;
    this.#delivery = delivery;
    this.#nest = nest;
    this.#onEnd = onEnd;
  }

  get isEnded(): boolean {
    return this.#ended;
  }

  /** Calls `body` with this as its current run. */
  within<T>(body: () => T): T {
    return withRun(this, body);
  }

  startNested(options: RunOptions = {}): Promise<ActiveRun> {
    return this.#nest(this, options);
  }

  /** Resolves when the server has everything that was logged before. @throws TRACKER_ENTRIES_REFUSED, TRACKER_UNREACHABLE, ApiError 401 and 403 */
  flush(): Promise<void> {
    return this.#delivery.flush();
  }

  /** Ends the run when everything it logged has arrived. Ending it again changes nothing. @throws as flush */
  async end(status: EndStatus = "finished"): Promise<void> {
    if (this.#ended) return;
    this.mark(status);
    await this.#delivery.flush();
    this.#delivery.close();
    this.#onEnd();
  }

  /** Notes that it ended, without waiting for anything. */
  mark(status: EndStatus): void {
    if (this.#ended) return;
    this.#delivery.push({ kind: "end", status, at: nextMicros() });
    this.#ended = true;
  }

  protected record(entry: LogEntry): void {
    if (this.#ended) throw trackerErrors.TRACKER_RUN_ENDED(`The run ${this.id} has ended`);
    this.#delivery.push(entry);
  }

  protected store(path: string, source: ArtifactSource, mediaType: string): Promise<ArtifactFile> {
    if (this.#ended) return Promise.reject(trackerErrors.TRACKER_RUN_ENDED(`The run ${this.id} has ended`));
    return this.#delivery.upload(path, source, mediaType);
  }
}
