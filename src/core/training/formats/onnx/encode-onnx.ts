import {
  ELEMENT_TYPES,
  type NamedTensor,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValueInfo,
} from "./onnx-model.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";

/** A model as an ONNX file: field numbers of onnx.proto3. The same model gives the same bytes. */
export function encodeOnnx(model: OnnxModel): Uint8Array {
  const message = new ProtobufWriter();
  message.integer(1, model.irVersion);
  message.text(2, model.producerName);
  message.text(3, model.producerVersion);
  message.message(7, (graph) => writeGraph(graph, model.graph));
  for (const [domain, version] of model.opsets) {
    message.message(8, (opset) => {
      opset.text(1, domain);
      opset.integer(2, version);
    });
  }
  for (const [key, value] of Object.entries(model.metadata)) {
    message.message(14, (entry) => {
      entry.text(1, key);
      entry.text(2, value);
    });
  }
  return message.finish();
}

function writeGraph(message: ProtobufWriter, graph: OnnxGraph): void {
  for (const node of graph.nodes) message.message(1, (each) => writeNode(each, node));
  message.text(2, graph.name);
  for (const tensor of graph.initializers) message.message(5, (each) => writeNamedTensor(each, tensor));
  for (const input of graph.inputs) message.message(11, (each) => writeValueInfo(each, input));
  for (const output of graph.outputs) message.message(12, (each) => writeValueInfo(each, output));
}

function writeNode(message: ProtobufWriter, node: OnnxNode): void {
  for (const input of node.inputs) message.text(1, input);
  for (const output of node.outputs) message.text(2, output);
  message.text(4, node.operator);
  for (const [name, attribute] of node.attributes) message.message(5, (each) => writeAttribute(each, name, attribute));
  message.text(7, node.domain);
}

/** Numbers of AttributeProto.AttributeType. */
const ATTRIBUTE_TYPES = { float: 1, int: 2, string: 3, tensor: 4, floats: 6, ints: 7, strings: 8 } as const;

function writeAttribute(message: ProtobufWriter, name: string, attribute: OnnxAttribute): void {
  message.text(1, name);
  switch (attribute.type) {
    case "float":
      message.float(2, attribute.value);
      break;
    case "int":
      message.integer(3, attribute.value);
      break;
    case "string":
      message.text(4, attribute.value);
      break;
    case "tensor":
      message.message(5, (tensor) => writeTensor(tensor, attribute.value));
      break;
    case "floats":
      message.packedFloats(7, attribute.value);
      break;
    case "ints":
      message.packedIntegers(8, attribute.value);
      break;
    case "strings":
      for (const text of attribute.value) message.text(9, text);
      break;
    case "other":
      throw new TypeError(`the attribute ${name} was only read in part and cannot be written`);
  }
  message.integer(20, ATTRIBUTE_TYPES[attribute.type]);
}

function writeNamedTensor(message: ProtobufWriter, { name, tensor }: NamedTensor): void {
  writeTensor(message, tensor);
  message.text(8, name);
}

function writeTensor(message: ProtobufWriter, tensor: OnnxTensor): void {
  message.packedIntegers(1, tensor.dims);
  message.integer(2, ELEMENT_TYPES[tensor.type]);
  switch (tensor.type) {
    case "string":
      for (const text of tensor.data) message.text(6, text);
      break;
    case "float":
      message.packedFloats(4, tensor.data);
      break;
    case "double":
      message.packedDoubles(10, tensor.data);
      break;
    case "int64":
      message.packedIntegers(7, tensor.data);
      break;
    default:
      message.packedIntegers(5, tensor.data);
  }
}

function writeValueInfo(message: ProtobufWriter, { name, type, dims }: OnnxValueInfo): void {
  message.text(1, name);
  if (type === undefined) return;
  message.message(2, (typeProto) =>
    typeProto.message(1, (tensorType) => {
      tensorType.integer(1, ELEMENT_TYPES[type]);
      if (dims === undefined) return;
      tensorType.message(2, (shape) => {
        for (const size of dims) {
          shape.message(1, (dimension) => (size >= 0 ? dimension.integer(1, size) : dimension.text(2, "N")));
        }
      });
    }),
  );
}
