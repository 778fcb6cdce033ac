import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { count, entity, featureView, max, string, sum } from "../../core/definitions/index.ts";
import { compileFeaturePlan, createExactReader, viewVersions } from "../../core/features/index.ts";
import { MINUTE } from "../../core/time.ts";
import { NOW, openRoom, payments, type RoomOptions, SCOPE } from "./test-support/payments.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "orrery-pushed-versions-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const user = entity("user", { user: string() });
const paid = featureView("spending", { entity: user, source: payments, aggregate: { paid: sum("amount").over("1h") } });
const most = featureView("spending", { entity: user, source: payments, aggregate: { paid: max("amount").over("1h") } });
const [old, now] = [paid, most].map((view) => compileFeaturePlan({ name: "m", features: view.all() }));

type Room = Awaited<ReturnType<typeof openRoom>>;
/** A room that is closed when the work is done, as a control plane that is started again. */
async function inRoom<T>(options: RoomOptions, work: (room: Room) => Promise<T>): Promise<T> {
  const room = await openRoom(directory, options);
  try {
    return await work(room);
  } finally {
    await room.close();
  }
}

const at = (minutes: number) => new Date((NOW + minutes * MINUTE) / 1_000).toISOString();
const pay = (room: Room, id: string, minutes: number, amount: number, more: object = {}) =>
  room.push("payments", [{ id, user: "ann", amount, at: at(minutes), seen: at(minutes), ...more }], { online: true });
const read = async ({ online }: Room, plan: typeof old) =>
  (await createExactReader(plan, online, SCOPE).read([{ user: "ann" }], NOW)).values[0][0];

test("a view over pushed rows that is defined otherwise goes on by both definitions, corrections included", async () => {
  await inRoom({ views: [paid.definition] }, (room) => pay(room, "p1", -50, 5));
  await inRoom({ views: [most.definition], plans: () => [old] }, async (room) => {
    await pay(room, "p2", -30, 7);
    expect([await read(room, old), await read(room, now)]).toEqual([12, 7]);
    await pay(room, "p2", -30, 2, { seen: at(-20) });
    expect([await read(room, old), await read(room, now)]).toEqual([7, 5]);
    expect(await room.settle()).toMatchObject([{ view: "spending" }, { view: "spending", halted: null }]);
  });
});

test("one whose rows are not found by its keys any more stays as it is, and rows are taken on", async () => {
  await inRoom({ views: [paid.definition] }, (room) => pay(room, "p1", -50, 5));
  const byNobody = featureView("spending", { source: payments, aggregate: { paid: count().over("1h") } });
  await inRoom({ views: [byNobody.definition], plans: () => [old] }, async (room) => {
    await pay(room, "p2", -30, 7);
    expect(await read(room, old)).toBe(5);
    const halted = 'Rows of source "payments" are not found by user any more';
    expect(await viewVersions(room.online, SCOPE, "spending")).toMatchObject([
      { current: true, halted: null },
      { current: false, halted },
    ]);
  });
});
