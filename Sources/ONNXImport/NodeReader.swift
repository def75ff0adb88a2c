import Foundations
import ModelGraph

/// One ONNX node with its operands resolved and its attributes ready to be read.
struct NodeReader {
  let name: String
  let kind: String
  /// The version of the operator set.
  let opset: Int
  /// Operands; nil for one that was left out by an empty name.
  let inputs: [ValueID?]
  /// How many outputs are named and used.
  let outputCount: Int
  /// How many outputs the node has, used or not.
  let declaredOutputCount: Int
  private let attributes: [String: Onnx_AttributeProto]

  init(
    _ proto: Onnx_NodeProto, name: String, opset: Int, inputs: [ValueID?], outputCount: Int
  ) throws(MartletError) {
    self.name = name
    self.kind = proto.opType
    self.opset = opset
    self.inputs = inputs
    self.outputCount = outputCount
    self.declaredOutputCount = proto.output.count
    var attributes: [String: Onnx_AttributeProto] = [:]
    for attribute in proto.attribute {
      guard attributes.updateValue(attribute, forKey: attribute.name) == nil else {
        throw MartletError(
          .invalidFile, "an attribute is given twice", context: ["attribute": attribute.name])
      }
    }
    self.attributes = attributes
  }

  /// An operand that must be there.
  func input(_ index: Int) throws(MartletError) -> ValueID {
    guard let id = optionalInput(index) else {
      throw MartletError(.invalidFile, "operand \(index) is missing")
    }
    return id
  }

  /// An operand that may be left out.
  func optionalInput(_ index: Int) -> ValueID? { index < inputs.count ? inputs[index] : nil }

  /// All operands, none of which may be left out.
  func allInputs() throws(MartletError) -> [ValueID] {
    let present = inputs.compactMap { $0 }
    guard present.count == inputs.count, !present.isEmpty else {
      throw MartletError(.invalidFile, "an operand is missing")
    }
    return present
  }

  func has(_ attribute: String) -> Bool { attributes[attribute] != nil }

  func integer(_ attribute: String, default value: Int) throws(MartletError) -> Int {
    guard let proto = try self.attribute(attribute, .int) else { return value }
    return Int(proto.i)
  }

  func float(_ attribute: String, default value: Float) throws(MartletError) -> Float {
    guard let proto = try self.attribute(attribute, .float) else { return value }
    return proto.f
  }

  func integers(_ attribute: String) throws(MartletError) -> [Int]? {
    try self.attribute(attribute, .ints)?.ints.map { Int($0) }
  }

  func floats(_ attribute: String) throws(MartletError) -> [Float]? {
    try self.attribute(attribute, .floats)?.floats
  }

  func text(_ attribute: String, default value: String) throws(MartletError) -> String {
    guard let proto = try self.attribute(attribute, .string) else { return value }
    return String(decoding: proto.s, as: UTF8.self)
  }

  func tensor(_ attribute: String) throws(MartletError) -> Onnx_TensorProto? {
    try self.attribute(attribute, .tensor)?.t
  }

  private func attribute(
    _ name: String, _ type: Onnx_AttributeProto.AttributeType
  ) throws(MartletError) -> Onnx_AttributeProto? {
    guard let proto = attributes[name] else { return nil }
    guard proto.type == type || proto.type == .undefined else {
      throw MartletError(
        .invalidFile, "an attribute has another type than its operator defines",
        context: ["attribute": name])
    }
    return proto
  }
}
