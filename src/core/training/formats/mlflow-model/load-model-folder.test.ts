import { describe, expect, it } from "vitest";
import { columns, externalFile, linearFile, mlmodelFile, node, onnxFile } from "../../../../../test/fixtures/onnx-models.ts";
import { loadModelFolder } from "./load-model-folder.ts";

/** A folder in memory that notes what is asked of it. */
function folder(files: Readonly<Record<string, string | Uint8Array>>) {
  const asked: string[] = [];
  return {
    asked,
    async read(path: string): Promise<Uint8Array> {
      asked.push(path);
      const found = files[path];
      if (found === undefined) throw new RangeError(`no ${path}`);
      return typeof found === "string" ? new TextEncoder().encode(found) : found;
    },
  };
}
const load = (files: Readonly<Record<string, string | Uint8Array>>) => loadModelFolder(folder(files).read);
const x = { name: "x", type: "double", dims: [-1, 1] } as const;
const y = { name: "y", type: "double", dims: [-1, 1] } as const;

describe("a folder of MLflow's", () => {
  it("answers, and only what it needs of it is read", async () => {
    const { read, asked } = folder({
      MLmodel: mlmodelFile({ inputs: columns("a", "b") }),
      "model.onnx": linearFile([2, 3], 1),
      "conda.yaml": "!!python/object/apply:os.system ['id']",
      "code/evil.py": "import os",
    });
    const { model, files } = await loadModelFolder(read);
    const row = new Map([
      ["a", [10]],
      ["b", [1]],
    ]);
    const input = { kind: "frame", rows: 1, columns: row } as const;
    expect((await model.predict(input)).predictions).toEqual([{ y: 24 }]);
    expect(asked).toEqual(["MLmodel", "model.onnx"]);
    expect([...files.keys()]).toEqual(asked);
  });

  it("may keep a tensor in a file beside the graph, which may lie deeper", async () => {
    const weight = new Uint8Array(12);
    new DataView(weight.buffer).setFloat32(4, 2.5, true);
    const { model, files } = await load({
      MLmodel: "flavors: {onnx: {data: deep/model.onnx}}",
      "deep/model.onnx": externalFile({ location: "weights.bin", offset: "4", length: "4" }),
      "deep/weights.bin": weight,
    });
    expect((await model.predict({ kind: "tensor", value: [[1]] })).predictions).toEqual({ y: [[3.5]] });
    expect([...files.keys()]).toEqual(["MLmodel", "deep/model.onnx", "deep/weights.bin"]);
  });

  it.each<[string, Record<string, string>, string]>([
    ["above it", { location: "../../etc/passwd" }, "TRAIN_MLMODEL_INVALID"],
    ["by an absolute path", { location: "/etc/passwd" }, "TRAIN_MLMODEL_INVALID"],
    ["without a name", { offset: "0" }, "TRAIN_ONNX_INVALID"],
    ["beyond their file's end", { location: "w", offset: "2", length: "4" }, "TRAIN_ONNX_INVALID"],
    ["at no number", { location: "w", offset: "-4" }, "TRAIN_ONNX_INVALID"],
    ["in another number of bytes", { location: "w", length: "3" }, "TRAIN_ONNX_INVALID"],
  ])("is refused when tensors are kept %s", async (_, place, code) => {
    const files = { MLmodel: "flavors: {onnx: {}}", "model.onnx": externalFile(place), w: new Uint8Array(4) };
    await expect(load(files)).rejects.toMatchObject({ code });
  });

  it("says which operator is not known, and of which opset", async () => {
    const file = onnxFile({ inputs: [x], outputs: [y], nodes: [node("LSTM", ["x"], ["y"])] });
    await expect(load({ MLmodel: "flavors: {onnx: {}}", "model.onnx": file })).rejects.toMatchObject({
      code: "TRAIN_ONNX_OPERATOR_UNKNOWN",
      message: expect.stringContaining("LSTM (opset 17)"),
    });
  });

  it("is refused where the graph is a pickle by another name, a script, or nothing", async () => {
    const pickle = Buffer.from("80049520000000000000008c05706f736978948c0673797374656d9493948c026964948594529400", "hex");
    for (const graph of [pickle, new TextEncoder().encode("import os\nos.system('id')\n"), new Uint8Array()])
      await expect(load({ MLmodel: "flavors: {onnx: {}}", "model.onnx": graph })).rejects.toMatchObject({
        code: "TRAIN_ONNX_INVALID",
      });
  });

  it("is refused without inputs or outputs", async () => {
    const constants = { c: { type: "double", dims: [1, 1], data: Float64Array.of(1) } } as const;
    const none = onnxFile({ inputs: [], outputs: [y], nodes: [node("Identity", ["c"], ["y"])], constants });
    const mute = onnxFile({ inputs: [x], outputs: [], nodes: [] });
    for (const file of [none, mute])
      await expect(load({ MLmodel: "flavors: {onnx: {}}", "model.onnx": file })).rejects.toMatchObject({
        code: "TRAIN_ONNX_UNSUPPORTED",
      });
  });

  it("passes on why a file cannot be read", async () => {
    await expect(load({ MLmodel: "flavors: {onnx: {}}" })).rejects.toThrow("no model.onnx");
  });
});
