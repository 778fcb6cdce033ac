import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findPostgres, testSchema } from "../../../test/fixtures/postgres.ts";
import { type ListeningServer, listeningServer } from "../test-support/tracking-app.ts";

const { url, reason } = await findPostgres();

/** What has broken out of quotes, comments, casts and clauses elsewhere. */
const INJECTIONS = [
  "'",
  "''",
  '"',
  "`",
  ";",
  "--",
  "/*",
  "' OR '1'='1",
  "' OR 1=1 --",
  "'; DROP TABLE runs; --",
  "x'; DELETE FROM runs WHERE '1'='1",
  "' UNION SELECT hash FROM tokens --",
  "') OR ('1'='1",
  "1) UNION SELECT name, hash FROM tokens --",
  "\\'; DROP TABLE runs; --",
  "$$; DROP TABLE runs; $$",
  "'||(SELECT hash FROM tokens LIMIT 1)||'",
  "'; SELECT pg_sleep(10); --",
  "' AND randomblob(1000000000) --",
  "%' ESCAPE '%",
  "\u0000'; DROP TABLE runs",
  "ʼ OR 1=1",
  "＇ OR 1=1",
  "{x}",
  "$1",
  "?1",
  ":a",
  "@a",
];

function suite(database: () => { readonly setting: string | null; drop(): Promise<void> }) {
  let server: ListeningServer;
  let drop: () => Promise<void>;
  const post = (path: string, body: unknown) => server.ask("POST", `/api/2.0/mlflow${path}`, body);
  const ids = async (filter?: string, order: string[] = []) => {
    const { status, body } = await post("/runs/search", {
      experiment_ids: ["0"],
      ...(filter !== undefined && { filter }),
      order_by: order,
    });
    return { status, ids: (body.runs ?? []).map((run: { info: { run_id: string } }) => run.info.run_id), body };
  };
  beforeAll(async () => {
    const made = database();
    drop = made.drop;
    server = await listeningServer({ stores: { database: made.setting, artifacts: null } });
    for (const value of ["a", "b"]) {
      const { run } = (await post("/runs/create", { experiment_id: "0", run_name: value, tags: [{ key: "t", value }] })).body;
      await post("/runs/log-batch", {
        run_id: run.info.run_id,
        params: [{ key: "p", value }],
        metrics: [{ key: "m", value: 1, timestamp: 1 }],
      });
    }
    await post("/registered-models/create", { name: "a", tags: [{ key: "t", value: "a" }] });
    await post("/registered-models/create", { name: "b" });
  });
  afterAll(async () => {
    // Nothing was dropped, changed or added by any of it.
    const all = await ids();
    await server.close();
    await drop();
    expect([all.status, all.ids.length]).toEqual([200, 2]);
  });

  it("as a value: is compared as the text it is, and finds nothing", async () => {
    for (const text of INJECTIONS) {
      const quoted = text.includes("'") ? `"${text.replaceAll('"', "")}"` : `'${text}'`;
      for (const subject of ["params.p", "tags.t", "attributes.run_name", "attributes.run_id", "tags.mlflow.user"]) {
        for (const operator of ["=", "LIKE", "ILIKE"]) {
          const found = await ids(`${subject} ${operator} ${quoted}`);
          expect(found.status, `${subject} ${operator} ${quoted}`).toBeLessThan(500);
          // A lone % is a pattern, and none of these is one that fits.
          expect(found.ids, `${subject} ${operator} ${quoted}`).toEqual([]);
        }
      }
    }
  });

  it("as a value that was logged: is found by itself alone", async () => {
    for (const [i, text] of INJECTIONS.entries()) {
      if (text.includes("\u0000") || (text.includes("'") && text.includes('"'))) continue;
      const { experiment_id } = (await post("/experiments/create", { name: `e${i}` })).body;
      const { run } = (await post("/runs/create", { experiment_id, tags: [{ key: "odd", value: text }] })).body;
      await post("/runs/create", { experiment_id, tags: [{ key: "odd", value: "even" }] });
      const quoted = text.includes("'") ? `"${text}"` : `'${text}'`;
      const found = await post("/runs/search", { experiment_ids: [experiment_id], filter: `tags.odd = ${quoted}` });
      expect([text, found.body.runs?.map(({ info }: typeof run) => info.run_id)]).toEqual([text, [run.info.run_id]]);
    }
  });

  it("as a key, an operator or a whole filter: is refused or finds nothing, and never breaks", async () => {
    for (const text of INJECTIONS) {
      for (const filter of [
        text,
        `params.${text} = 'a'`,
        `params.\`${text}\` = 'a'`,
        `tags."${text}" = 'a'`,
        `metrics.m ${text} 1`,
        `metrics.m > ${text}`,
        `params.p = 'a' ${text}`,
        `params.p IN (${text})`,
      ]) {
        const found = await ids(filter);
        // A filter whose harmless half is whole may find what that asks for.
        expect(found.status, `${filter} ${JSON.stringify(found.body)}`).toBeLessThan(500);
        expect(found.ids.length, filter).toBeLessThanOrEqual(1);
      }
    }
  });

  it("in an order: is refused or orders by nothing", async () => {
    for (const text of INJECTIONS) {
      for (const order of [
        text,
        `metrics.${text}`,
        `metrics.\`${text}\` DESC`,
        `metrics.m ${text}`,
        `attributes.start_time DESC, ${text}`,
        `params.p ASC ${text}`,
      ])
        expect((await ids(undefined, [order])).status, order).toBeLessThan(500);
    }
  });

  it("in a page's token: is refused", async () => {
    const { body } = await post("/runs/search", { experiment_ids: ["0"], max_results: 1 });
    const token = String(body.next_page_token);
    const forged = INJECTIONS.flatMap((text) => [
      text,
      Buffer.from(text).toString("base64url"),
      Buffer.from(
        Buffer.from(token, "base64url")
          .toString("utf8")
          .replace(/"run-[^"]*"/, JSON.stringify(text)),
      ).toString("base64url"),
    ]);
    for (const page_token of forged) {
      const answer = await post("/runs/search", { experiment_ids: ["0"], max_results: 1, page_token });
      expect(answer.status, page_token).toBeLessThan(500);
      expect(answer.body.runs?.length ?? 0, page_token).toBeLessThanOrEqual(1);
    }
  });

  it("in every other search, and in names that are looked up", async () => {
    const text = (path: string, query: Record<string, string>) =>
      server.ask("GET", `/api/2.0/mlflow${path}?${new URLSearchParams(query)}`);
    for (const odd of INJECTIONS) {
      const quoted = odd.includes("'") ? `"${odd.replaceAll('"', "")}"` : `'${odd}'`;
      const answers = [
        await text("/registered-models/search", { filter: `name = ${quoted}` }),
        await text("/registered-models/search", { filter: odd }),
        await text("/registered-models/search", { order_by: odd }),
        await text("/model-versions/search", { filter: `name = ${quoted}` }),
        await text("/model-versions/search", { filter: `run_id IN (${quoted})` }),
        await text("/registered-models/get", { name: odd }),
        await text("/registered-models/alias", { name: "a", alias: odd }),
        await text("/experiments/get-by-name", { experiment_name: odd }),
        await text("/experiments/get", { experiment_id: odd }),
        await text("/metrics/get-history", { run_id: odd, metric_key: odd }),
        await post("/experiments/search", { filter: `name LIKE ${quoted}`, max_results: 10 }),
        await post("/experiments/search", { filter: odd, order_by: [odd], max_results: 10 }),
        await post("/logged-models/search", { experiment_ids: [odd], filter: odd }),
        await post("/experiments/search-datasets", { experiment_ids: [odd] }),
        await server.ask("GET", `/api/v1/default/default/audit?${new URLSearchParams({ actor: odd, action: odd, cursor: odd })}`),
        await server.ask("GET", `/api/v1/default/${encodeURIComponent(odd)}/runs`),
      ];
      for (const { status, body } of answers) expect(status, `${odd} ${JSON.stringify(body)}`).toBeLessThan(500);
      const found = answers[0]?.body.registered_models ?? [];
      expect([odd, found]).toEqual([odd, []]);
    }
  });
}

describe("SQL through filters over HTTP, on SQLite", () => suite(() => ({ setting: null, drop: async () => undefined })));
describe.skipIf(url === null)(`SQL through filters over HTTP, on PostgreSQL ${reason}`.trimEnd(), () =>
  suite(() => {
    const schema = testSchema(url ?? "");
    return { setting: schema.url, drop: schema.drop };
  }),
);
