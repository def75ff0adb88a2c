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
        context: ["input": input.name, "type": "\(type.elemType)"])
    }
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

  private func extent(
    _ dimension: Onnx_TensorShapeProto.Dimension, axis: Int, input: String
  ) throws(MartletError) -> Int {
    if dimension.dimValue > 0 {
      guard axis != 0 || batch == 1 || dimension.dimValue == Int64(batch) else {
        throw MartletError(
          .mismatch, "the model's batch dimension is fixed",
          context: ["input": input, "fixed": "\(dimension.dimValue)", "wanted": "\(batch)"],
          hint: "use a batch of \(dimension.dimValue) or export the model with an open batch")
      }
      return Int(dimension.dimValue)
    }
    if let extent = named[dimension.dimParam] { return extent }
    if axis == 0 { return batch }
    throw MartletError(
      .invalidArgument, "a dimension of the model's input is open and was given no extent",
      context: [
        "input": input, "axis": "\(axis)",
        "name": dimension.dimParam.isEmpty ? "none" : dimension.dimParam,
      ],
      hint: dimension.dimParam.isEmpty
        ? "export the model with a fixed size of this dimension"
        : "give it an extent by its name, such as \(dimension.dimParam)=224")
  }
}
