import type { OnnxTensor } from "../../onnx/onnx-model.ts";
import { type Attributes, invalidGraph, type Operator } from "../operator.ts";

interface Lookup {
  readonly keys: readonly (string | number)[];
  readonly values: OnnxTensor;
  readonly otherwise: string | number;
}

/** Version 1 has names and their numbers; version 2 lists of any type; version 4 tensors. */
export const labelEncoder: Operator = ({ attributes, opset }) => {
  const { keys, values, otherwise } = opset < 2 ? readClasses(attributes) : readLookup(attributes);
  if (keys.length !== values.data.length)
    throw invalidGraph(`LabelEncoder has ${keys.length} keys, ${values.data.length} values`);
  const places = new Map(keys.map((key, place) => [key, place]));
  // A Map finds NaN too, as LabelEncoder does.
  const placeOf = (value: string | number) => places.get(value) ?? -1;
  return (inputs) => {
    const { data, dims } = inputs.any(0);
    if (values.type === "string") {
      const texts = Array.from<string | number, string>(data, (value) => values.data[placeOf(value)] ?? String(otherwise));
      return [{ type: "string", dims, data: texts }];
    }
    const out = inputs.allocate(dims);
    for (let i = 0; i < out.length; i++) {
      const place = placeOf(data[i]);
      out[i] = place < 0 ? Number(otherwise) : values.data[place];
    }
    return [{ type: values.type, dims, data: out }];
  };
};

function readClasses(attributes: Attributes): Lookup {
  const keys = attributes.texts("classes_strings");
  const data = Float64Array.from(keys, (_, index) => index);
  return { keys, values: { type: "int64", dims: [keys.length], data }, otherwise: attributes.integer("default_int64", -1) };
}

function readLookup(attributes: Attributes): Lookup {
  const keys = attributes.has("keys_tensor")
    ? Array.from<string | number>(attributes.tensor("keys_tensor").data)
    : attributes.has("keys_strings")
      ? attributes.texts("keys_strings")
      : attributes.has("keys_int64s")
        ? attributes.integers("keys_int64s")
        : attributes.floats("keys_floats");
  if (attributes.has("values_tensor")) {
    const values = attributes.tensor("values_tensor");
    const fallback = values.type === "string" ? "_Unused" : 0;
    const otherwise = attributes.has("default_tensor") ? attributes.tensor("default_tensor").data[0] : fallback;
    return { keys, values, otherwise };
  }
  if (attributes.has("values_strings")) {
    const data = attributes.texts("values_strings");
    return {
      keys,
      values: { type: "string", dims: [data.length], data },
      otherwise: attributes.text("default_string", "_Unused"),
    };
  }
  if (attributes.has("values_int64s")) {
    const data = Float64Array.from(attributes.integers("values_int64s"));
    return { keys, values: { type: "int64", dims: [data.length], data }, otherwise: attributes.integer("default_int64", -1) };
  }
  const data = Float64Array.from(attributes.floats("values_floats"));
  return { keys, values: { type: "float", dims: [data.length], data }, otherwise: attributes.float("default_float", 0) };
}
