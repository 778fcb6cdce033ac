import { randomBytes } from "node:crypto";
import { closeSync, createReadStream, createWriteStream, fsyncSync, openSync, statSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { BenchCase } from "../run.ts";
import { connections, median } from "./http-load.ts";
import type { Contestant, RunningServer } from "./servers.ts";

const MEGABYTE = 1 << 20;
const SIZE_MB = 1_024;
const ROUNDS = 3;

async function writeRandomFile(path: string): Promise<void> {
  const block = randomBytes(8 * MEGABYTE);
  async function* blocks() {
    for (let written = 0; written < SIZE_MB; written += 8) {
      // Not the same block again: a file system may notice.
      block.writeUInt32LE(written, 0);
      yield Buffer.from(block);
    }
  }
  await pipeline(blocks, createWriteStream(path));
}

const artifactPath = (run: string) => `/api/2.0/mlflow-artifacts/artifacts/0/${run}/artifacts/big.bin`;

function upload(port: number, run: string, file: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { "content-length": statSync(file).size, "content-type": "application/octet-stream" };
    const sent = request({ host: "127.0.0.1", port, method: "PUT", path: artifactPath(run), headers }, (response) => {
      response.resume();
      response.on("end", () =>
        response.statusCode === 200 ? resolve() : reject(new Error(`the upload was answered ${response.statusCode}`)),
      );
    });
    sent.on("error", reject);
    createReadStream(file, { highWaterMark: MEGABYTE }).pipe(sent);
  });
}

function download(port: number, run: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path: artifactPath(run) }, (response) => {
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
      });
      response.on("error", reject);
      response.on("end", () =>
        bytes === SIZE_MB * MEGABYTE ? resolve() : reject(new Error(`${bytes} bytes came, status ${response.statusCode}`)),
      );
    });
    sent.on("error", reject);
    sent.end();
  });
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return (SIZE_MB * 1_000) / (performance.now() - began);
}

/** The most that the server's processes held while the work was done. */
async function peakMemory(server: RunningServer, work: () => Promise<void>): Promise<number> {
  let peak = 0;
  const sampling = setInterval(() => {
    peak = Math.max(peak, server.memory());
  }, 100);
  await work();
  clearInterval(sampling);
  return peak / MEGABYTE;
}

/** A file of 1 GB through the server, up and down; beside it what the disk does when the file is copied and synced. */
export async function largeArtifact(
  ours: RunningServer,
  theirs: RunningServer,
  peer: Contestant,
  folder: string,
): Promise<BenchCase[]> {
  const file = join(folder, "big.bin");
  await writeRandomFile(file);
  const copies: number[] = [];
  const figures = {
    up: { ours: [] as number[], theirs: [] as number[] },
    down: { ours: [] as number[], theirs: [] as number[] },
  };
  const memory = { ours: 0, theirs: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    copies.push(await timed(() => copyAndSync(file, join(folder, "copy.bin"))));
    for (const [who, server] of [
      ["ours", ours],
      ["theirs", theirs],
    ] as const) {
      const { post, close } = connections(server.port, 1);
      const { run } = await post<{ run: { info: { run_id: string } } }>("runs/create", {
        experiment_id: "0",
        start_time: Date.now(),
      });
      close();
      const id = run.info.run_id;
      // New bytes each round: the same again need not be stored.
      await writeRandomFile(file);
      const peak = await peakMemory(server, async () => {
        figures.up[who].push(await timed(() => upload(server.port, id, file)));
        figures.down[who].push(await timed(() => download(server.port, id)));
      });
      memory[who] = Math.max(memory[who], peak);
    }
  }
  const speed = (name: string, { ours: mine, theirs: peers }: { ours: number[]; theirs: number[] }): BenchCase => ({
    case: name,
    ours: median(mine),
    peer: median(peers),
    peerName: peer.name,
    unit: "MB/s",
    ratio: median(mine) / median(peers),
  });
  return [
    speed("artifact-up", figures.up),
    speed("artifact-down", figures.down),
    {
      case: "artifact memory, peak",
      ours: memory.ours,
      peer: memory.theirs,
      peerName: peer.name,
      unit: "MB",
      ratio: memory.theirs / memory.ours,
    },
    {
      case: "artifact-up beside copying and syncing the file",
      ours: median(figures.up.ours),
      peer: median(copies),
      peerName: "the disk",
      unit: "MB/s",
      ratio: median(figures.up.ours) / median(copies),
    },
  ];
}

async function copyAndSync(from: string, to: string): Promise<void> {
  await pipeline(createReadStream(from, { highWaterMark: MEGABYTE }), createWriteStream(to));
  const copy = openSync(to, "r+");
  fsyncSync(copy);
  closeSync(copy);
}
