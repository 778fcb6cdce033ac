import { type Context, ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from "@opentelemetry/api";
import {
  AlwaysOnSampler,
  BasicTracerProvider,
  BatchSpanProcessor,
  RandomIdGenerator,
  type SpanProcessor,
} from "@opentelemetry/sdk-trace-node";
import { SpanFiles } from "./span-files.ts";

export interface TracerOptions {
  /** Folder in which spans are kept as NDJSON. */
  directory: string;
  /** Share of requests that are traced when the caller did not decide, 0…1. */
  ratio: number;
  /** Requests that take longer are traced whatever the share. */
  slowMs?: number;
  /** How large the folder may become. */
  maxBytes?: number;
  /** Address of an OTLP/HTTP collector, such as http://collector:4318/v1/traces. */
  otlpUrl?: string;
}

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export interface RequestTrace {
  readonly traceId: string;
  /** A finished part of the request; times as performance.now() gives them. */
  stage(name: string, begin: number, end: number, attributes?: SpanAttributes): void;
  /** The request ended at `at` (now where absent); `error` is its code. Kept if it was sampled, failed or was slow. */
  end(attributes: SpanAttributes, error?: string | null, at?: number): void;
}

export interface Tracer {
  /** Continues the caller's trace where it sent a W3C traceparent. */
  request(name: string, traceparent: string | undefined): RequestTrace;
  /** Writes what is waiting, as far as that can be done; like `close` it does not reject. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

interface Stage {
  readonly name: string;
  readonly begin: number;
  readonly end: number;
  readonly attributes: SpanAttributes;
}

const SLOW_MS = 100;
const MAX_BYTES = 64 * 1024 * 1024;
/** Failed and slow requests kept in one second beyond the sampled ones: an outage must not cost more than it does already. */
const MOST_UNSAMPLED_PER_SECOND = 50;
const BATCH_DELAY_MS = 1_000;
const OTLP_TIMEOUT_MS = 2_000;
const wall = (at: number) => performance.timeOrigin + at;

/**
 * Traces requests. Only times are noted while a request runs; spans are made when it ends, and only of those that are kept: so
 * the rest cost next to nothing, and failures and slow ones can be kept although nobody knew beforehand.
 */
export async function createTracer(options: TracerOptions): Promise<Tracer> {
  const { ratio, slowMs = SLOW_MS } = options;
  const files = new SpanFiles(options.directory, options.maxBytes ?? MAX_BYTES);
  const processors: SpanProcessor[] = [new BatchSpanProcessor(files, { scheduledDelayMillis: BATCH_DELAY_MS })];
  if (options.otlpUrl !== undefined) {
    const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-http");
    const exporter = new OTLPTraceExporter({ url: options.otlpUrl, timeoutMillis: OTLP_TIMEOUT_MS });
    processors.push(new BatchSpanProcessor(exporter, { scheduledDelayMillis: BATCH_DELAY_MS }));
  }
  const random = new RandomIdGenerator();
  let traceIdOfNext = "";
  const provider = new BasicTracerProvider({
    sampler: new AlwaysOnSampler(),
    spanProcessors: processors,
    idGenerator: { generateTraceId: () => traceIdOfNext, generateSpanId: () => random.generateSpanId() },
  });
  const tracer = provider.getTracer("orrery");
  let second = 0;
  let unsampled = 0;

  function mayKeepUnsampled(now: number): boolean {
    const current = Math.floor(now / 1_000);
    if (current !== second) unsampled = 0;
    second = current;
    return unsampled++ < MOST_UNSAMPLED_PER_SECOND;
  }

  return {
    request(name, traceparent) {
      const began = performance.now();
      const caller = parseTraceparent(traceparent);
      const traceId = caller?.traceId ?? random.generateTraceId();
      const stages: Stage[] = [];
      return {
        traceId,
        stage(stage, begin, end, attributes = {}) {
          stages.push({ name: stage, begin, end, attributes });
        },
        end(attributes, error = null, ended = performance.now()) {
          const sampled = caller === null ? isSampled(traceId, ratio) : caller.sampled;
          if (!sampled && !((error !== null || ended - began > slowMs) && mayKeepUnsampled(ended))) return;
          traceIdOfNext = traceId;
          const parent = caller?.context ?? ROOT_CONTEXT;
          const root = tracer.startSpan(name, { kind: SpanKind.SERVER, startTime: wall(began), attributes }, parent);
          const inside = trace.setSpan(parent, root);
          for (const stage of stages) {
            const { attributes: of } = stage;
            tracer.startSpan(stage.name, { startTime: wall(stage.begin), attributes: of }, inside).end(wall(stage.end));
          }
          if (error !== null) root.setAttribute("error.type", error).setStatus({ code: SpanStatusCode.ERROR, message: error });
          root.end(wall(ended));
        },
      };
    },
    // Traces are dispensable: a collector that is gone is nobody's failure here.
    flush: () => provider.forceFlush().catch(() => undefined),
    close: () => provider.shutdown().catch(() => undefined),
  };
}

/** By the trace id itself, so that every process that looks at a trace decides alike. */
const isSampled = (traceId: string, ratio: number) => Number.parseInt(traceId.slice(-8), 16) / 2 ** 32 < ratio;

interface Caller {
  readonly traceId: string;
  readonly sampled: boolean;
  readonly context: Context;
}

const ZEROS = /^0+$/;

/** W3C Trace Context, level 1: a header that is not valid starts a new trace; later versions may be longer. */
function parseTraceparent(header: string | undefined): Caller | null {
  const [, version, traceId, spanId, flags, rest] =
    /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(header ?? "") ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return null;
  if (version === "ff" || (version === "00" && rest !== undefined) || ZEROS.test(traceId) || ZEROS.test(spanId)) return null;
  const traceFlags = Number.parseInt(flags, 16) & TraceFlags.SAMPLED;
  const context = trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
  return { traceId, sampled: traceFlags === TraceFlags.SAMPLED, context };
}
