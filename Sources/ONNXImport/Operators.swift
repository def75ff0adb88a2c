import Foundations
import ModelGraph

/// The ONNX operators that can be read, each with the rule that expresses it in `Operation`s.
enum Operators {
  /// Adds the nodes of one operator and returns its results in order.
  typealias Rule =
    @Sendable (inout Lowering, NodeReader) throws(MartletError) -> [ValueID]

  /// The rules by operator name.
  static let rules: [String: Rule] = [
    products, windows, normalisations, elementwise, arrangements, constants,
  ].reduce(into: [:]) { table, part in table.merge(part) { first, _ in first } }

  /// The names of all operators that can be read.
  static let supported = rules.keys.sorted()

  static let products: [String: Rule] = [
    "Gemm": gemm, "MatMul": matMul,
  ]

  static let windows: [String: Rule] = [
    "Conv": convolution,
    "MaxPool": { (lowering, node) throws(MartletError) in
      try pooling(&lowering, node, .maximum)
    },
    "AveragePool": { (lowering, node) throws(MartletError) in
      try pooling(&lowering, node, .average)
    },
    "GlobalAveragePool": { (lowering, node) throws(MartletError) in
      try globalPooling(&lowering, node, .mean)
    },
    "GlobalMaxPool": { (lowering, node) throws(MartletError) in
      try globalPooling(&lowering, node, .maximum)
    },
  ]

  static let normalisations: [String: Rule] = [
    "BatchNormalization": batchNormalisation,
    "LayerNormalization": layerNormalisation,
    "Softmax": { (lowering, node) throws(MartletError) in
      try softmax(&lowering, node, logarithmic: false)
    },
    "LogSoftmax": { (lowering, node) throws(MartletError) in
      try softmax(&lowering, node, logarithmic: true)
    },
    "ReduceMean": { (lowering, node) throws(MartletError) in try reduce(&lowering, node, .mean) },
    "ReduceSum": { (lowering, node) throws(MartletError) in try reduce(&lowering, node, .sum) },
    "ReduceMax": { (lowering, node) throws(MartletError) in try reduce(&lowering, node, .maximum) },
    "ReduceMin": { (lowering, node) throws(MartletError) in try reduce(&lowering, node, .minimum) },
  ]
}
