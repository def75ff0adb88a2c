import Foundations
import Tensors

/// Gives extents to the dimensions that a model leaves open.
struct DimensionBinding {
  let batch: Int
  let named: [String: Int]

  /// The static shape of a graph input.
  func shape(of input: Onnx_ValueInfoProto) throws(MartletError) -> Shape {
    guard input.type.hasTensorType, input.type.tensorType.hasShape else {
      throw MartletError(
        .unsupported, "an input of the model has no shape", context: ["input": input.name])
    }
    let type = input.type.tensorType
    guard ONNXType(rawValue: type.elemType)?.isFloat == true else {
      throw MartletError(
        .unsupported, "inputs of the model must be floating point",
        context: ["input": input.name, "type": ONNXType.name(Int(type.elemType))],
        hint: "export the model with float32 inputs")
    }
    try checkOpen(type.shape.dim, input: input.name)
    var extents: [Int] = []
    for (axis, dimension) in type.shape.dim.prefix(17).enumerated() {
      extents.append(try extent(dimension, axis: axis, input: input.name))
    }
    do {
      return try Shape(checking: extents)
    } catch {
      throw error.adding("input", input.name)
    }
  }

  /// That every dimension has an extent: its own, one by its name, or, the first, the batch's.
  private func checkOpen(
    _ dimensions: [Onnx_TensorShapeProto.Dimension], input: String
  ) throws(MartletError) {
    let open = dimensions.enumerated().filter { axis, dimension in
      axis > 0 && dimension.dimValue <= 0 && named[dimension.dimParam] == nil
    }
    guard !open.isEmpty else { return }
    var names: [String] = []
    for name in open.map(\.element.dimParam) where !name.isEmpty && !names.contains(name) {
      names.append(name)
    }
    var hints: [String] = []
    if !names.isEmpty {
      let options = names.map { "--dimension \(DimensionBinding.quoted("\($0)=224"))" }
      hints.append("give them extents, such as " + options.joined(separator: " "))
    }
    if open.contains(where: \.element.dimParam.isEmpty) {
      hints.append("export the model with fixed sizes of the dimensions that have no name")
    }
    throw MartletError(
      .invalidArgument, "dimensions of the model's input are open and were given no extent",
      context: [
        "input": input, "axes": open.map { "\($0.offset)" }.joined(separator: ", "),
        "names": names.isEmpty ? "none" : names.joined(separator: ", "),
      ], hint: hints.joined(separator: "; "))
  }

  /// As a shell takes it.
  private static func quoted(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"),
        UInt8(ascii: "."), UInt8(ascii: "="), UInt8(ascii: "/"):
        true
      default: false
      }
    }
    return isPlain
      ? text
      : "'"
        + text.split(separator: "'", omittingEmptySubsequences: false)
        .joined(separator: "'\\''") + "'"
  }

  private func extent(
    _ dimension: Onnx_TensorShapeProto.Dimension, axis: Int, input: String
  ) throws(MartletError) -> Int {
    guard dimension.dimValue > 0 else { return named[dimension.dimParam] ?? batch }
    guard axis != 0 || batch == 1 || dimension.dimValue == Int64(batch) else {
      throw MartletError(
        .mismatch, "the model's batch dimension is fixed",
        context: ["input": input, "fixed": "\(dimension.dimValue)", "wanted": "\(batch)"],
        hint: "use a batch of \(dimension.dimValue) or export the model with an open batch")
    }
    return Int(dimension.dimValue)
  }
}
