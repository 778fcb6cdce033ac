import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Context, ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from "@opentelemetry/api";
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  type ReadableSpan,
  type SpanExporter,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace-node";

export interface TracerOptions {
  /** Folder in which sampled spans are kept as NDJSON. */
  directory: string;
  /** Share of requests that are traced when the caller did not decide, 0…1. */
  ratio: number;
  /** Address of an OTLP/HTTP collector, such as http://collector:4318/v1/traces. */
  otlpUrl?: string;
}

type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface RequestTrace {
  readonly traceId: string;
  /** A finished part of the request; times as performance.now() gives them. */
  stage(name: string, begin: number, end: number, attributes?: Attributes): void;
  end(attributes: Attributes, error?: string): void;
}

export interface Tracer {
  /** Continues the caller's trace where it sent a W3C traceparent. */
  request(name: string, traceparent: string | undefined): RequestTrace;
  close(): Promise<void>;
}

export interface StoredSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  /** Microseconds since 1970, machine time. */
  readonly start: number;
  readonly end: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly error: string | null;
}

/** A folder of traces grows no further than this; then the next file begins and the oldest is left to `gc`. */
const FILE_BYTES = 32 * 1024 * 1024;
const micros = ([seconds, nanos]: readonly [number, number]) => seconds * 1_000_000 + Math.round(nanos / 1_000);
const wall = (at: number) => performance.timeOrigin + at;

export async function createTracer(options: TracerOptions): Promise<Tracer> {
  const processors = [new BatchSpanProcessor(new NdjsonSpanExporter(options.directory))];
  if (options.otlpUrl !== undefined) {
    const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-http");
    processors.push(new BatchSpanProcessor(new OTLPTraceExporter({ url: options.otlpUrl })));
  }
  const provider = new BasicTracerProvider({
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(options.ratio) }),
    spanProcessors: processors,
  });
  const tracer = provider.getTracer("orrery");
  return {
    request(name, traceparent) {
      const parent = parentContext(traceparent);
      const root = tracer.startSpan(name, { kind: SpanKind.SERVER }, parent);
      const inside = trace.setSpan(parent, root);
      return {
        traceId: root.spanContext().traceId,
        stage(stage, begin, end, attributes = {}) {
          if (!root.isRecording()) return;
          tracer.startSpan(stage, { startTime: wall(begin), attributes }, inside).end(wall(end));
        },
        end(attributes, error) {
          root.setAttributes(attributes);
          if (error !== undefined) root.setStatus({ code: SpanStatusCode.ERROR, message: error });
          root.end();
        },
      };
    },
    close: () => provider.shutdown(),
  };
}

function parentContext(traceparent: string | undefined): Context {
  const match = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(traceparent ?? "");
  if (match?.[1] === undefined || match[2] === undefined || match[3] === undefined) return ROOT_CONTEXT;
  const traceFlags = Number.parseInt(match[3], 16) & TraceFlags.SAMPLED;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId: match[1], spanId: match[2], traceFlags, isRemote: true });
}

/** Keeps spans on this machine: a line each, in files of bounded size. */
class NdjsonSpanExporter implements SpanExporter {
  readonly #directory: string;
  #file: string;
  #files = 0;

  constructor(directory: string) {
    mkdirSync(directory, { recursive: true });
    this.#directory = directory;
    this.#file = this.#nextFile();
  }

  #nextFile(): string {
    return join(this.#directory, `spans-${Date.now().toString(36)}-${process.pid}-${this.#files++}.ndjson`);
  }

  export(spans: ReadableSpan[], done: Parameters<SpanExporter["export"]>[1]): void {
    try {
      if (existsSync(this.#file) && statSync(this.#file).size > FILE_BYTES) this.#file = this.#nextFile();
      appendFileSync(this.#file, spans.map((span) => `${JSON.stringify(stored(span))}\n`).join(""));
      done({ code: 0 });
    } catch (error) {
      done({ code: 1, error: error as Error });
    }
  }

  async shutdown(): Promise<void> {}
}

function stored(span: ReadableSpan): StoredSpan {
  const { traceId, spanId } = span.spanContext();
  return {
    traceId,
    spanId,
    parentSpanId: span.parentSpanContext?.spanId ?? null,
    name: span.name,
    start: micros(span.startTime),
    end: micros(span.endTime),
    attributes: span.attributes,
    error: span.status.code === SpanStatusCode.ERROR ? (span.status.message ?? "failed") : null,
  };
}

/** The spans of a trace that were kept here, in the order they began; empty where it was not sampled. */
export function findTrace(directory: string, traceId: string): StoredSpan[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => name.startsWith("spans-"))
    .flatMap((name) => readFileSync(join(directory, name), "utf8").split("\n"))
    .filter((line) => line.includes(traceId))
    .map((line) => JSON.parse(line) as StoredSpan)
    .filter((span) => span.traceId === traceId)
    .sort((a, b) => a.start - b.start);
}
