import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { classifierFile, linearFile, node, onnxFile } from "../../../../../test/fixtures/onnx-models.ts";
import { OrreryError } from "../../../errors.ts";
import { decodeOnnx } from "../onnx/decode-onnx.ts";
import { type GraphModel, graphModel } from "./graph-model.ts";
import type { FrameInput, ModelInput } from "./model-input.ts";
import { type ColumnSpec, type MlflowType, NO_SIGNATURE, type Signature, type TensorSpec } from "./signature.ts";

// `npm run conformance -- mlflow-models` holds answers against MLflow's own scoring server; here is what each rule does.
const frame = (columns: Readonly<Record<string, readonly unknown[]>>): FrameInput => ({
  kind: "frame",
  rows: Object.values(columns)[0]?.length ?? 0,
  columns: new Map(Object.entries(columns)),
});
const tensors = (values: Readonly<Record<string, unknown>>): ModelInput => ({
  kind: "tensors",
  values: new Map(Object.entries(values)),
});
const tensor = (value: unknown): ModelInput => ({ kind: "tensor", value });
const column = (name: string | null, type: MlflowType = "double", required = true): ColumnSpec => ({
  kind: "column",
  name,
  type,
  required,
});
const array = (name: string | null, dtype: string, ...shape: readonly number[]): TensorSpec => ({
  kind: "tensor",
  name,
  dtype,
  shape,
});
const taking = (...inputs: readonly ColumnSpec[] | readonly TensorSpec[]): Signature => ({
  ...NO_SIGNATURE,
  inputs: inputs as Signature["inputs"],
});
const of = (file: Uint8Array, signature: Signature = NO_SIGNATURE): GraphModel => graphModel(decodeOnnx(file), signature);
const said = async (model: GraphModel, input: ModelInput, params?: unknown) => (await model.predict(input, params)).predictions;
const refused = (model: GraphModel, input: ModelInput, params?: unknown): Promise<OrreryError> =>
  model.predict(input, params).then(
    () => Promise.reject(new Error("nothing was refused")),
    (error: unknown) => {
      if (error instanceof OrreryError && error.code === "TRAIN_MODEL_INPUT_INVALID") return error;
      throw error;
    },
  );

/** y = 2a + 3b + 1 */
const linear = linearFile([2, 3], 1);
const named = of(linear, taking(column("a"), column("b")));

/** Says each text and number of two inputs as it was fed. */
const echo = onnxFile({
  inputs: [
    { name: "text", type: "string", dims: [-1] },
    { name: "whole", type: "int64", dims: [-1, 1] },
    { name: "flag", type: "bool", dims: [-1] },
  ],
  outputs: [
    { name: "text_out", type: "string", dims: [-1] },
    { name: "whole_out", type: "int64", dims: [-1, 1] },
    { name: "flag_out", type: "bool", dims: [-1] },
  ],
  nodes: ["text", "whole", "flag"].map((name) => node("Identity", [name], [`${name}_out`])),
});

describe("a graph that is asked with a data frame", () => {
  it("takes the signature's columns in its order, whatever order and company they come in", async () => {
    expect(await said(named, frame({ b: [1, 2], more: ["x", null], a: [10, 20] }))).toEqual([{ y: 24 }, { y: 47 }]);
  });

  it("takes lists by name, a list of one row, and single values for the same", async () => {
    const expected = [{ y: 24 }];
    expect(await said(named, tensors({ a: [10], b: [1] }))).toEqual(expected);
    expect(await said(named, tensors({ a: 10, b: 1 }))).toEqual(expected);
    expect(await said(of(linear, taking(column(null), column(null))), tensor([[10, 1]]))).toEqual(expected);
    expect(await said(of(linearFile([2], 0), taking(column("only"))), tensor([10, 20]))).toEqual([{ y: 20 }, { y: 40 }]);
  });

  it("takes numbers in texts, conditions, and missing numbers, as pandas casts them", async () => {
    expect(await said(named, frame({ a: ["10", true, null], b: [" 1e0 ", false, 1] }))).toEqual([
      { y: 24 },
      { y: 3 },
      { y: null },
    ]);
  });

  it("names every column that is missing, and those that nobody asked for", async () => {
    const { message } = await refused(named, frame({ c: [1], d: [2] }));
    expect(message).toBe("Model is missing inputs ['a', 'b']. Note that there were extra inputs: ['c', 'd'].");
  });

  it("reads a column that may be absent as missing", async () => {
    const model = of(linear, taking(column("a"), column("b", "double", false)));
    expect(await said(model, frame({ a: [1] }))).toEqual([{ y: null }]);
  });

  it("is told of a value by its column and row", async () => {
    expect((await refused(named, frame({ a: [1, "many"], b: [1, 2] }))).message).toBe(
      'column a, row 1, takes a number, not "many"',
    );
    for (const wrong of ["", "0x10", "1,5", "1_000", [1], { x: 1 }]) await refused(named, frame({ a: [wrong], b: [1] }));
  });

  it("counts columns without names, and takes the first of them", async () => {
    const model = of(linear, taking(column(null), column(null)));
    expect(await said(model, frame({ x: [10], y: [1], z: ["no matter"] }))).toEqual([{ y: 24 }]);
    expect((await refused(model, frame({ x: [1] }))).message).toContain("2 columns");
  });

  it("has no rows for no rows", async () => {
    expect(await said(named, frame({ a: [], b: [] }))).toEqual([]);
  });

  it("says lists a row where its outputs differ in length, of which pandas would make no frame", async () => {
    const answers = await said(of(classifierFile()), frame({ x: [0, 100] }));
    expect(answers).toEqual([
      { label: 0, probabilities: [0.5, 0.5] },
      { label: 1, probabilities: [0, 1] },
    ]);
  });

  it.each<[MlflowType, unknown]>([
    ["long", 1.5],
    ["long", null],
    ["long", 2 ** 60],
    ["long", "x"],
    ["integer", 2 ** 31],
    ["boolean", 2],
    ["boolean", null],
    ["boolean", "yes"],
    ["string", { a: 1 }],
    ["string", ["a"]],
  ])("refuses for a %s what would not be the same afterwards: %j", async (type, value) => {
    const specs = [column("text", "string"), column("whole", "long"), column("flag", "boolean")];
    const at = { long: "whole", integer: "whole", boolean: "flag", string: "text" }[String(type)] ?? "";
    const model = of(echo, taking(...specs.map((spec) => (spec.name === at ? { ...spec, type } : spec))));
    expect((await refused(model, frame({ text: ["a"], whole: [1], flag: [true], [at]: [value] }))).message).toContain(at);
  });

  it("gives each of several inputs the column of its name, as a list or a matrix of one column", async () => {
    const model = of(echo, taking(column("text", "string"), column("whole", "long"), column("flag", "boolean")));
    expect(await said(model, frame({ flag: [true, 0], whole: ["7", -1], text: ["a", null] }))).toEqual([
      { text_out: "a", whole_out: 7, flag_out: true },
      { text_out: "nan", whole_out: -1, flag_out: false },
    ]);
    expect((await refused(of(echo), frame({ text: ["a"], whole: [1] }))).message).toContain("flag");
  });
});

describe("a graph that is asked with arrays", () => {
  it("answers with arrays by name, in their shapes", async () => {
    const model = of(classifierFile(), taking(array(null, "float32", -1, 1)));
    expect(await said(model, tensor([[0], [100]]))).toEqual({
      label: [0, 1],
      probabilities: [
        [0.5, 0.5],
        [0, 1],
      ],
    });
  });

  it("without a signature takes what fits it", async () => {
    expect(await said(of(linear), tensor([[10, 1]]))).toEqual({ y: [[24]] });
    expect(await said(of(linear), tensors({ x: [[10, 1]] }))).toEqual({ y: [[24]] });
    expect((await refused(of(linear), tensors({ z: [[10, 1]] }))).message).toContain("no input z");
    expect((await refused(of(linear), tensor([[10, 1, 2]]))).message).toContain("[N, 2], not [1, 3]");
    expect((await refused(of(linear), tensor([["ten", 1]]))).message).toContain("numbers");
    expect((await refused(of(echo), tensor([1]))).message).toContain("text, whole, flag");
  });

  it("is refused where lists differ in length or depth, or lie deep", async () => {
    for (const value of [
      [[1, 2], [3]],
      [[1, 2], 3],
      [1, [2, 3]],
      [
        [1, 2],
        [3, [4]],
      ],
      [{ a: 1 }],
      [[[[[[[[[1]]]]]]]]],
    ])
      await refused(of(linear), tensor(value));
  });

  it("is refused where shapes or types are not the signature's", async () => {
    const model = of(linear, taking(array(null, "float32", -1, 2)));
    expect((await refused(model, tensor([[1, 2, 3]]))).message).toContain("(1, 3) does not match expected shape (-1, 2)");
    expect((await refused(model, tensor([1, 2]))).message).toContain("(2)");
    await refused(model, tensor([["a", 2]]));
    await refused(
      of(echo, taking(array("whole", "int64", -1, 1), array("text", "object", -1), array("flag", "bool", -1))),
      tensors({ whole: [[1.5]], text: ["a"], flag: [true] }),
    );
    expect((await refused(model, tensors({ x: [[1, 2]] }))).message).toContain("one input without a name");
    expect(
      (
        await refused(
          of(echo, taking(array("text", "str", -1), array("whole", "int64", -1, 1), array("flag", "bool", -1))),
          tensors({ text: ["a"] }),
        )
      ).message,
    ).toContain("'whole', 'flag'");
  });

  it("takes a data frame whose columns are the arrays, or side by side the one array", async () => {
    const specs = [array("text", "object", -1), array("whole", "int64", -1, 1), array("flag", "bool", -1)];
    expect(await said(of(echo, taking(...specs)), frame({ text: ["a"], whole: [3], flag: [false] }))).toEqual({
      text_out: ["a"],
      whole_out: [[3]],
      flag_out: [false],
    });
    const matrix = of(linear, taking(array(null, "float32", -1, 2)));
    expect(await said(matrix, frame({ p: [10, 20], q: [1, 2] }))).toEqual({ y: [[24], [47]] });
    expect(
      await said(
        matrix,
        frame({
          p: [
            [10, 1],
            [20, 2],
          ],
        }),
      ),
    ).toEqual({ y: [[24], [47]] });
    await refused(matrix, frame({ p: [1], q: [2], r: [3] }));
  });
});

describe("params", () => {
  const model = of(linear, {
    ...taking(column("a"), column("b")),
    params: [
      { name: "limit", type: "double", shape: null },
      { name: "names", type: "string", shape: [-1] },
    ],
  });
  const row = frame({ a: [10], b: [1] });

  it("of the signature's types change nothing, because a graph takes none, and others are passed over", async () => {
    for (const params of [undefined, null, {}, { limit: 1 }, { names: ["a"] }, { unknown: {} }, { limit: null }])
      expect(await said(model, row, params)).toEqual([{ y: 24 }]);
    expect(await said(named, row, { anything: 1 })).toEqual([{ y: 24 }]);
  });

  it("of other types are refused", async () => {
    for (const params of [[1], "x", { limit: "1" }, { limit: [1] }, { names: "a" }, { names: [1] }])
      await refused(model, row, params);
  });
});

describe("many rows", () => {
  it("say in batches what they say alone", async () => {
    const rows = 5_000;
    const a = Array.from({ length: rows }, (_, row) => row % 97);
    const b = Array.from({ length: rows }, (_, row) => row % 13);
    expect(await said(named, frame({ a, b }))).toEqual(a.map((value, row) => ({ y: 2 * value + 3 * b[row] + 1 })));
    const texts = a.map((value) => `t${value}`);
    const flags = a.map((value) => value > 50);
    expect(await said(of(echo), tensors({ text: texts, whole: a.map((value) => [value]), flag: flags }))).toEqual({
      text_out: texts,
      whole_out: a.map((value) => [value]),
      flag_out: flags,
    });
  });

  it("are seen all at once by a graph that says something of them all", async () => {
    const sum = onnxFile({
      inputs: [{ name: "x", type: "double", dims: [-1, 1] }],
      outputs: [{ name: "sum", type: "double", dims: [1, 1] }],
      nodes: [node("ReduceSum", ["x"], ["sum"], new Map([["keepdims", { type: "int", value: 1 }]]))],
    });
    expect(await said(of(sum), tensor(Array.from({ length: 3_000 }, () => [1])))).toEqual({ sum: [[3_000]] });
  });

  it("end when they take too long, and let others in between", async () => {
    const big = frame({ a: new Array(20_000).fill(1), b: new Array(20_000).fill(1) });
    let turns = 0;
    const others = setInterval(() => turns++, 0);
    await named.predict(big);
    clearInterval(others);
    expect(turns).toBeGreaterThan(0);
    await expect(
      named.predict(big, undefined, () => {
        throw new RangeError("late");
      }),
    ).rejects.toThrow("late");
  });
});

describe("whatever comes", () => {
  it("is answered or refused in words", async () => {
    const value = fc.oneof(fc.jsonValue(), fc.array(fc.oneof(fc.double(), fc.string(), fc.constant(null))));
    const inputs = fc.oneof(
      fc.dictionary(fc.constantFrom("a", "b", "x", "text", "__proto__"), value).map(tensors),
      value.map(tensor),
      fc
        .array(fc.tuple(value, value), { maxLength: 3 })
        .map((rows) => frame({ a: rows.map(([a]) => a), b: rows.map(([, b]) => b) })),
    );
    const models = [named, of(linear), of(echo), of(classifierFile(), taking(array(null, "float32", -1, 1)))];
    await fc.assert(
      fc.asyncProperty(inputs, fc.constantFrom(...models), async (input, model) => {
        try {
          JSON.stringify((await model.predict(input)).predictions);
        } catch (error) {
          expect(error).toBeInstanceOf(OrreryError);
          expect(["TRAIN_MODEL_INPUT_INVALID", "TRAIN_ONNX_INVALID"]).toContain(error instanceof OrreryError && error.code);
        }
      }),
      { numRuns: 500 },
    );
  });
});
