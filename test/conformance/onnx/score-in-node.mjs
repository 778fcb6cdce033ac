// What score.py does, in ONNX Runtime for Node: score-in-node.mjs REQUESTS.json, run where onnxruntime-node is installed.
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.cwd(), "package.json"));
const { InferenceSession, Tensor } = require("onnxruntime-node");

const numbers = (file, Type) => {
  const bytes = readFileSync(file);
  return new Type(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
};

for (const request of JSON.parse(readFileSync(process.argv[2], "utf8"))) {
  const session = await InferenceSession.create(request.model, { logSeverityLevel: 3 });
  const columns = request.inputs.map((spec) => ({
    ...spec,
    values: numbers(spec.file, spec.type === "string" ? Int32Array : Float64Array),
  }));
  const files = request.outputs.map(({ name, file }) => ({ name, descriptor: openSync(file, "w") }));
  for (let start = 0; start < request.rows; start += request.batch) {
    const end = Math.min(request.rows, start + request.batch);
    const feeds = {};
    for (const { name, type, values, categories } of columns) {
      const part = values.slice(start, end);
      feeds[name] =
        type === "string"
          ? new Tensor(
              "string",
              Array.from(part, (code) => categories[code]),
              [end - start, 1],
            )
          : new Tensor("float64", part, [end - start, 1]);
    }
    const results = await session.run(
      feeds,
      files.map(({ name }) => name),
    );
    for (const { name, descriptor } of files) {
      writeSync(descriptor, new Uint8Array(Float64Array.from(results[name].data, Number).buffer));
    }
  }
  for (const { descriptor } of files) closeSync(descriptor);
}
console.log(JSON.stringify({ "onnxruntime-node": require("onnxruntime-node/package.json").version }));
