import Foundations
import Imaging
import ModelCards
import ModelGraph
import Plan
import TensorFiles
import Tensors

/// What `martlet run` sends: images that are prepared as the plan says, or samples of a table.
struct RunInputs {
  let count: Int
  private let nameOf: (Int) -> String
  private let labelOf: (Int) -> Int?
  private let load: (Int) throws(MartletError) -> FrameInput

  /// Images, folders or archives.
  ///
  /// - Throws: `unsupported` for a plan whose model does not take images; what opening throws.
  init(images: [String], plan: Plan) throws(MartletError) {
    guard let preprocessing = plan.model.preprocessing else {
      throw MartletError(
        .unsupported, "the plan's model does not take images",
        hint: "give its inputs as a table with --samples")
    }
    let set = try ImageSet.open(paths: images, labelling: try plan.labelling())
    count = set.count
    nameOf = { set.name($0) }
    labelOf = { set.label($0) }
    load = { index throws(MartletError) in try preprocessing.input(try set.load(index)) }
  }

  /// Rows of an `.npy` file of float32, and their classes from another one of integers.
  ///
  /// - Throws: `mismatch` for a table that does not fit the model or the labels; what `NumpyFile`
  ///   throws.
  init(samples path: String, labels labelPath: String?, plan: Plan) throws(MartletError) {
    let table = try NumpyFile.read(path)
    let shape = plan.graph[plan.graph.inputs[0]].shape
    guard let elements = table.floats, table.shape.rank >= 1, table.shape[0] > 0,
      elements.count == table.shape[0] * shape.count
    else {
      throw MartletError(
        .mismatch, "the samples do not fit the model",
        context: [
          "file": path, "shape": "\(table.shape) \(table.elementType.rawValue)",
          "expected": "Nx\(shape.count) float32",
        ])
    }
    let rows = table.shape[0]
    var labels: [Int64]?
    if let labelPath {
      let column = try NumpyFile.read(labelPath)
      guard let values = column.integers, values.count == rows else {
        throw MartletError(
          .mismatch, "there must be one integer label for each sample",
          context: ["file": labelPath, "shape": "\(column.shape)", "samples": "\(rows)"])
      }
      labels = values
    }
    count = rows
    nameOf = { "sample \($0)" }
    labelOf = { index in labels.map { Int($0[index]) } }
    load = { index in
      FrameInput(
        Tensor(shape, Array(elements[index * shape.count..<(index + 1) * shape.count])))
    }
  }

  func name(_ index: Int) -> String { nameOf(index) }

  /// The right class, where it is known.
  func label(_ index: Int) -> Int? { labelOf(index) }

  /// The model's input.
  func input(_ index: Int) throws(MartletError) -> FrameInput { try load(index) }
}
