import Glibc
import ModelGraph
package import Tensors

/// A model's outputs, read as its head says.
package struct Prediction: Sendable, Hashable {
  /// A class or label.
  package struct Candidate: Sendable, Hashable {
    /// Its index.
    package var label: Int
    /// Its name, where known.
    package var name: String?
    /// Probability, 0 to 1.
    package var confidence: Double
  }

  /// An output that names no class.
  package struct Output: Sendable, Hashable {
    /// The model's name of it.
    package var name: String
    /// Its extents.
    package var shape: Shape
    /// What its elements are like.
    package var statistics: TensorStatistics
  }

  /// How the outputs were read.
  package let head: Head
  /// The likeliest classes or labels, best first; at most as many as asked for. Empty for `raw`.
  package private(set) var top: [Candidate] = []
  /// For `multilabel`: all labels of at least one half, likeliest first, at most 100.
  package private(set) var chosen: [Candidate] = []
  /// For `raw`: what the outputs are like.
  package private(set) var outputs: [Output] = []

  /// The most labels in `chosen`.
  package static let maximumChosen = 100

  /// Reads a model's outputs.
  ///
  /// - Parameters:
  ///   - outputs: all of them, with their names; classes are those of the first.
  ///   - names: class names by index; may be empty. For `binary`, those of no and yes, or that of yes.
  ///   - count: how many candidates to keep.
  package init(
    _ outputs: [(name: String, tensor: Tensor)], head: Head, names: [String], count: Int = 5
  ) {
    self.head = head
    guard head.task != .raw else {
      self.outputs = outputs.compactMap { name, tensor in
        tensor.floats.map { values in
          Output(
            name: name, shape: tensor.shape,
            statistics: values.withUnsafeBufferPointer { TensorStatistics($0) })
        }
      }
      return
    }
    rank(outputs.first?.tensor.floats ?? [], names, count)
  }

  /// Reads the scores of a model that names classes.
  package init(scores: [Float], head: Head = .unknown, names: [String], count: Int = 5) {
    self.init(
      [("", Tensor([scores.count], scores))], head: head, names: names, count: count)
  }

  private mutating func rank(_ values: [Float], _ names: [String], _ count: Int) {
    let shares = head.probabilities(of: values)
    // Of equal logits that are far apart from others, the lower class wins as in the logits.
    let keys = head.task == .binary ? shares : values.map(Double.init)
    let names = head.task == .binary ? Prediction.binaryNames(names) : names
    // NaN compares false with everything; rank such scores last instead of in arbitrary order.
    func key(_ index: Int) -> Double { keys[index].isNaN ? -.infinity : keys[index] }
    let order = shares.indices.sorted { (key($1), $0) < (key($0), $1) }
    func candidate(_ index: Int) -> Candidate {
      let name = names.indices.contains(index) && !names[index].isEmpty ? names[index] : nil
      let share = shares[index]
      return Candidate(
        label: index, name: name, confidence: share.isFinite ? min(max(share, 0), 1) : 0)
    }
    top = order.prefix(count).map(candidate)
    guard head.task == .multilabel else { return }
    chosen = order.prefix(Prediction.maximumChosen).map(candidate).filter { $0.confidence >= 0.5 }
  }

  private static func binaryNames(_ names: [String]) -> [String] {
    names.count == 1 ? ["not " + names[0], names[0]] : names
  }

  /// Puts a class first that was drawn at random.
  mutating func lead(with guess: Int, count: Int) {
    guard let place = top.firstIndex(where: { $0.label == guess }) else { return }
    top.insert(top.remove(at: place), at: 0)
    top = Array(top.prefix(count))
  }

  /// The likeliest class or label; nil if the outputs name none.
  package var label: Int? { top.first?.label }

  /// Whether the class is the right one; nil where there is no one right class.
  package func isRight(_ truth: Int) -> Bool? { head.hasAccuracy ? label == truth : nil }

  /// The name of a class, as its candidates are named.
  package static func name(of label: Int?, head: Head, names: [String]) -> String? {
    let names = head.task == .binary ? binaryNames(names) : names
    guard let label, names.indices.contains(label), !names[label].isEmpty else { return nil }
    return names[label]
  }
}

extension Prediction {
  /// Reads what an answer holds, or, for a guess, what it was drawn from: the guess stands first, with
  /// the probability that it had.
  package init(
    _ outputs: [Tensor], guess: Int?, of plan: Plan, names: [String]? = nil, count: Int = 5
  ) {
    let values = plan.graph.outputs.map { plan.graph[$0].name }
    var head = plan.head
    if guess != nil { head.scores = .probabilities }
    let classes = outputs.first?.shape.count ?? 0
    self.init(
      zip(values, outputs).map { (name: $0, tensor: $1) }, head: head,
      names: names ?? plan.model.labels, count: guess == nil ? count : max(classes, 2))
    if let guess { lead(with: guess, count: count) }
  }
}

extension Head {
  /// The probability of each class or label; for `binary` of no and yes.
  package func probabilities(of values: [Float]) -> [Double] {
    switch task {
    case .classification:
      let sum = values.reduce(0) { $0 + Double($1) }
      let isDistribution = abs(sum - 1) < 1e-3 && values.allSatisfy { $0 >= 0 }
      let areProbabilities = scores == .probabilities || (scores == .either && isDistribution)
      if areProbabilities { return values.map(Double.init) }
      let peak = Double(values.max() ?? 0)
      let weights = values.map { exp(Double($0) - peak) }
      let total = weights.reduce(0, +)
      return weights.map { total > 0 ? $0 / total : 0 }
    case .binary:
      guard let yes = values.first.map({ probability(Double($0)) }) else { return [] }
      return [1 - yes, yes]
    case .multilabel: return values.map { probability(Double($0)) }
    case .raw: return []
    }
  }

  private func probability(_ value: Double) -> Double {
    scores == .logits ? 1 / (1 + exp(-value)) : value
  }
}
