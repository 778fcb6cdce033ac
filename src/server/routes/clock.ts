import type { VirtualClock } from "../../core/ports/index.ts";
import { formatTimestamp, parseTimestamp } from "../../core/time.ts";
import { serverErrors } from "../errors.ts";
import type { RoomHandlers } from "../handlers.ts";
import type { RouteContext } from "./index.ts";

export const clockHandlers = ({ platform, scheduler }: RouteContext): RoomHandlers<"clock"> => ({
  async advance({ to }) {
    const { clock } = platform;
    if (clock.kind !== "virtual") throw serverErrors.SERVER_CLOCK_NOT_VIRTUAL("This server runs on the machine's clock");
    const pipelineRuns = await scheduler.advance(clock as VirtualClock, parseTimestamp(to));
    return { now: formatTimestamp(clock.now()), pipelineRuns };
  },
});
