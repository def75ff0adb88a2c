package import Foundations
package import ModelGraph
import Tensors

extension Head {
  /// What the last operations of a model say of its output; `raw` where they say nothing: several
  /// outputs, an output with more than one axis, one number that is no sigmoid, an unusual last
  /// operation.
  package init(detecting graph: Graph) {
    guard graph.outputs.count == 1, let count = Head.classes(of: graph) else {
      self = .raw
      return
    }
    switch Ending(of: graph) {
    case .softmax(let extent, let isLogarithmic) where count > 1 && (extent ?? count) == count:
      self.init(.classification, isLogarithmic ? .logits : .probabilities)
    case .sigmoid: self.init(count == 1 ? .binary : .multilabel, .probabilities)
    case .weighted where count > 1: self.init(.classification, .logits)
    case .linear where count > 1: self.init(.classification, .either)
    case .softmax, .weighted, .linear, .other: self = .raw
    }
  }

  /// What a model's card says of its first output, and how its last operations fit that; without a
  /// task, `init(detecting:)`.
  ///
  /// - Throws: `mismatch` for a task that the output cannot have.
  package init(of graph: Graph, task: Task?) throws(MartletError) {
    guard let task else {
      self.init(detecting: graph)
      return
    }
    let count = Head.classes(of: graph)
    let fits =
      switch task {
      case .raw: true
      case .binary: count == 1
      case .classification, .multilabel: (count ?? 0) > 1
      }
    guard fits else {
      let output = graph.outputs.first.map { graph[$0] }
      throw MartletError(
        .mismatch, "the model's output is none of a task \"\(task.rawValue)\"",
        context: [
          "output": output?.name ?? "none", "shape": output.map { "\($0.shape)" } ?? "none",
        ],
        hint: "binary has one number, classification and multilabel have several on one axis; "
          + "anything else is \"raw\"")
    }
    guard task != .raw else {
      self = .raw
      return
    }
    let scores: Scores =
      switch Ending(of: graph) {
      case .softmax(_, let isLogarithmic): isLogarithmic ? .logits : .probabilities
      case .sigmoid: .probabilities
      case .weighted: .logits
      case .linear, .other: task == .classification ? .either : .logits
      }
    self.init(task, scores)
  }

  /// How many numbers the first output has for one input; nil unless they lie on one axis.
  private static func classes(of graph: Graph) -> Int? {
    guard let output = graph.outputs.first else { return nil }
    let shape = graph[output].shape
    let extents = shape.dimensions
    guard extents.count(where: { $0 > 1 }) <= 1, shape.count > 0 else { return nil }
    // The first axis of several is that of the batch.
    guard extents.count < 2 || extents[0] == 1 else { return nil }
    return shape.count
  }
}

/// What a model's first output comes from, through everything that only moves its elements.
private enum Ending {
  /// Probabilities of one of so many along an axis, if that is known, or their logarithms.
  case softmax(extent: Int?, isLogarithmic: Bool)
  case sigmoid
  /// A layer with weights and no activation, with or without a bias.
  case weighted
  /// Sums and means.
  case linear
  case other

  init(of graph: Graph) {
    let producers = graph.producers()
    let computed = graph.computedValues
    guard var value = graph.outputs.first else {
      self = .other
      return
    }
    while let index = producers[value] {
      let node = graph.nodes[index]
      func isComputed(_ operand: Int) -> Bool {
        node.inputs.indices.contains(operand) && computed.contains(node.inputs[operand])
      }
      switch node.operation {
      case .reshape, .transpose:
        value = node.inputs[0]
        continue
      case .softmax(let axis, let isLogarithmic):
        self = .softmax(
          extent: graph[node.output].shape.dimensions[axis], isLogarithmic: isLogarithmic)
      case .dense(let layer): self = Ending(layer.activation)
      case .convolution(let layer): self = Ending(layer.activation)
      case .activation(let function): self = Ending(function)
      case .matMul, .channelAffine: self = .weighted
      case .binary(let function):
        // A constant bias or temperature leaves logits what they are.
        if [.add, .subtract].contains(function), isComputed(0) != isComputed(1) {
          value = node.inputs[isComputed(0) ? 0 : 1]
          continue
        }
        let numerator = producers[node.inputs[0]].map { graph.nodes[$0].operation }
        let isSoftmax = function == .divide && numerator == .unary(.exponential)
        self =
          isSoftmax
          ? .softmax(extent: nil, isLogarithmic: false)
          : [.add, .subtract, .multiply, .divide].contains(function) ? .linear : .other
      case .pooling(let pooling): self = pooling.kind == .average ? .linear : .other
      case .reduction(let reduction):
        self = [.mean, .sum].contains(reduction.kind) ? .linear : .other
      default: self = .other
      }
      return
    }
    self = .other
  }

  private init(_ activation: Activation?) {
    switch activation {
    case nil: self = .weighted
    case .sigmoid, .hardSigmoid: self = .sigmoid
    default: self = .other
    }
  }
}
