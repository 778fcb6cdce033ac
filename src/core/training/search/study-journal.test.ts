import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { openStudy } from "./journaled-study.ts";
import { OBJECTIVES } from "./objectives.fixture.ts";
import { studySpec } from "./study.ts";
import { memoryJournal, openStudyJournal, type StudyRecord } from "./study-journal.ts";

const root = mkdtempSync(join(tmpdir(), "orrery-study-"));
afterAll(() => rmSync(root, { recursive: true }));
let files = 0;
let path: string;
beforeEach(() => {
  path = join(root, `${files++}.ndjson`);
});

const { space, value } = OBJECTIVES.mixed;
const spec = studySpec({ space, direction: "minimize" });
const records: StudyRecord[] = [1, 2, 3].map((at) => ({ kind: "opened", at }));

describe("the journal of a study", () => {
  it("holds what was appended, in order, for the next process", async () => {
    const journal = await openStudyJournal(path);
    await Promise.all(records.map((record) => journal.append(record)));
    expect(await journal.read()).toEqual(records);
    await journal.close();
    const next = await openStudyJournal(path);
    expect(await next.read()).toEqual(records);
    await next.close();
  });

  it("is cut at the last whole record, wherever it was torn, and goes on from there", async () => {
    const text = records.map((record) => `${JSON.stringify(record)}\n`).join("");
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: text.length }), async (length) => {
        writeFileSync(path, text.slice(0, length));
        const journal = await openStudyJournal(path);
        const whole = text.slice(0, length).split("\n").length - 1;
        expect(await journal.read()).toEqual(records.slice(0, whole));
        await journal.append({ kind: "opened", at: 4 });
        await journal.close();
        expect(readFileSync(path, "utf8").split("\n")).toHaveLength(whole + 2);
      }),
      { numRuns: 30 },
    );
  });

  it("that is damaged before its end is refused and left alone", async () => {
    const text = '{"kind":"opened","at":1}\nxx\n{"kind":"opened","at":2}\n';
    writeFileSync(path, text);
    await expect(openStudyJournal(path)).rejects.toMatchObject({
      code: "TRAIN_STUDY_CORRUPT",
      message: expect.stringContaining("line 2"),
    });
    expect(readFileSync(path, "utf8")).toBe(text);
  });

  it("says where it cannot be written", async () => {
    await expect(openStudyJournal(join(path, "no-folder", "x"))).rejects.toMatchObject({
      code: "TRAIN_STUDY_NOT_WRITTEN",
      kind: "unavailable",
    });
  });

  it("takes no more records after one that could not be written", async () => {
    const journal = await openStudyJournal(path);
    await journal.close();
    await expect(journal.append({ kind: "opened", at: 1 })).rejects.toMatchObject({ code: "TRAIN_STUDY_NOT_WRITTEN" });
    await expect(journal.append({ kind: "opened", at: 2 })).rejects.toMatchObject({ code: "TRAIN_STUDY_NOT_WRITTEN" });
    expect(readFileSync(path, "utf8")).toBe("");
  });
});

describe("a study with a journal", () => {
  it("goes on with the trial that was cut off, then as it would have", async () => {
    const whole = memoryJournal();
    const uncut = await openStudy(spec, whole, 0);
    const params: unknown[] = [];
    for (let n = 0; n < 20; n++) {
      const trial = await uncut.ask(n);
      params.push(trial?.params);
      if (trial !== null) await uncut.tell(n, { state: "finished", score: value(trial.params), reports: [], detail: null }, n);
    }
    // Ends within trial 12: two records open the journal, and each trial has two.
    const cut = memoryJournal();
    for (const record of (await whole.read()).slice(0, 2 + 2 * 12 + 1)) await cut.append(record);
    const resumed = await openStudy(spec, cut, 100);
    expect(resumed.study.ended).toHaveLength(12);
    for (let n = 12; n < 20; n++) {
      const trial = await resumed.ask(n);
      expect([trial?.number, trial?.params]).toEqual([n, params[n]]);
      if (trial !== null) await resumed.tell(n, { state: "finished", score: value(trial.params), reports: [], detail: null }, n);
    }
  });

  it("counts the time of earlier processes up to their last records", async () => {
    const journal = memoryJournal();
    const first = await openStudy(spec, journal, 1_000);
    await first.ask(1_500);
    const second = await openStudy(spec, journal, 50_000);
    expect(second.spent).toBe(500);
    await second.ask(50_100);
    await second.tell(0, { state: "finished", score: 1, reports: [], detail: null }, 50_700);
    expect((await openStudy(spec, journal, 90_000)).spent).toBe(500 + 700);
  });

  it("is not taken for another one", async () => {
    const journal = memoryJournal();
    await openStudy(spec, journal, 0);
    await expect(openStudy({ ...spec, seed: 2, space: space.slice(0, 1) }, journal, 0)).rejects.toMatchObject({
      code: "TRAIN_STUDY_DIFFERS",
      details: { differs: ["space", "seed"] },
    });
  });

  it("of a later version is refused", async () => {
    const journal = memoryJournal();
    await journal.append({ kind: "study", formatVersion: 2, spec });
    await expect(openStudy(spec, journal, 0)).rejects.toMatchObject({ code: "TRAIN_STUDY_NEWER" });
  });

  it("that does not begin with a study is refused", async () => {
    const journal = memoryJournal();
    await journal.append({ kind: "opened", at: 0 });
    await expect(openStudy(spec, journal, 0)).rejects.toMatchObject({ code: "TRAIN_STUDY_CORRUPT" });
  });

  it("survives a torn header", async () => {
    appendFileSync(path, '{"kind":"study","form');
    const journal = await openStudyJournal(path);
    await openStudy(spec, journal, 0);
    expect((await journal.read()).map(({ kind }) => kind)).toEqual(["study", "opened"]);
    await journal.close();
  });
});
