import Foundations
import ModelGraph

/// The ONNX operators that can be read, each with the rule that expresses it in `Operation`s.
enum Operators {
  /// Adds the nodes of one operator and returns its results in order.
  typealias Rule =
    @Sendable (inout Lowering, NodeReader) throws(MartletError) -> [ValueID]

  /// The rules by operator name.
  static let rules: [String: Rule] = [
    products, sums, windows, transposedWindows, images, blocks, normalisations, groupNormalisations,
    reductions, elementwise, activations, conditions, arrangements, constants,
  ].reduce(into: [:]) { table, part in table.merge(part) { first, _ in first } }
}
