package import Foundations
import Glibc
package import Plan
import Synchronization

/// What masks do to a model's answers, without labels: how far they depart from the undamaged ones.
package struct MaskEffect: Sendable, Hashable {
  /// The share of images whose class stays.
  package var agreement: Double
  /// The mean over images of the probability that the undamaged class loses; 0 where it gains. Smoother
  /// than `agreement` where there are few images.
  package var confidenceLoss: Double
  /// The mean over images of the nats by which the undamaged class becomes less probable; 0 where it
  /// gains, at most `largestSurprise`.
  package var surprise: Double
  private static let largestSurprise = 20.0

  /// Makes an effect.
  package init(agreement: Double, confidenceLoss: Double, surprise: Double) {
    self.agreement = agreement
    self.confidenceLoss = confidenceLoss
    self.surprise = surprise
  }

  /// Measures masks.
  ///
  /// The result does not depend on the number of threads.
  ///
  /// - Parameters:
  ///   - masks: for the points of `model`.
  ///   - fill: what stands in for missing channels.
  ///   - wires: what travelling does to the rest, the first one nothing.
  ///   - images: calibration images; their labels are not used.
  ///   - progress: gets the number of images that are done and their total.
  /// - Throws: `invalidArgument` without images, `cancelled` when stopped, what loading throws.
  package static func of(
    _ masks: [Mask], fill: Plan.Fill, wires: [WireRounding] = [.none], model: MaskedModel,
    images: LabelledImages, threads: Int = 1,
    progress: @escaping @Sendable (Int, Int) -> Void = { _, _ in },
    isStopped: @escaping @Sendable () -> Bool = { false }
  ) throws(MartletError) -> [MaskEffect] {
    guard images.count > 0 else {
      throw MartletError(.invalidArgument, "there are no calibration images")
    }
    precondition(wires.first == WireRounding.none, "the reference is exact")
    let whole = Mask(lost: model.points.map { _ in [] })
    let trie = model.arrange([whole] + masks, wires: wires)
    var leafOf = [Int](repeating: 0, count: masks.count + 1)
    for (leaf, members) in trie.leaves.enumerated() { for mask in members { leafOf[mask] = leaf } }
    let (reference, leaves) = (leafOf[0], trie.leaves.count)
    let batches = (images.count + model.batch - 1) / model.batch
    // Sums by batch, added up in order: the order of float additions must not be chance.
    let sums = Mutex([[Sums]](repeating: [], count: batches))
    let done = Mutex(0)
    let classes = model.outputCount
    try BatchWorkers.run(tasks: batches, threads: threads) { () throws(MartletError) in
      try MaskedExecution(model, fills: [fill], wires: wires)
    } body: { batch, execution throws(MartletError) in
      let range = batch * model.batch..<min((batch + 1) * model.batch, images.count)
      try MemoryLimit.require(
        model.batch * model.inputCounts[0], of: MemoryLayout<Float>.size, for: "a batch of images")
      var elements: [Float] = []
      for index in range { elements += try images.load(index, elements: model.inputCounts[0]) }
      elements += [Float](
        repeating: 0, count: (model.batch - range.count) * model.inputCounts[0])
      var answers = [[[Double]]](repeating: [], count: leaves)
      try execution.run([elements], masks: trie, isStopped: isStopped) { leaf, scores in
        answers[leaf] = range.indices.map { index in
          let entry = index - range.lowerBound
          return probabilities(
            UnsafeBufferPointer(rebasing: scores[entry * classes..<(entry + 1) * classes]))
        }
      }
      let own = answers.map { Sums(of: $0, against: answers[reference]) }
      sums.withLock { $0[batch] = own }
      let count = done.withLock { done in
        done += range.count
        return done
      }
      progress(count, images.count)
    }
    let byBatch = sums.withLock { $0 }
    let byLeaf = (0..<leaves).map { leaf in
      let total = byBatch.reduce(into: Sums()) { $0.add($1[leaf]) }
      return MaskEffect(
        agreement: Double(total.agreeing) / Double(images.count),
        confidenceLoss: total.lost / Double(images.count),
        surprise: total.surprise / Double(images.count))
    }
    return leafOf.dropFirst().map { byLeaf[$0] }
  }

  private struct Sums: Sendable {
    var agreeing = 0
    var lost = 0.0
    var surprise = 0.0

    init() {}

    init(of answers: [[Double]], against reference: [[Double]]) {
      for (answer, whole) in zip(answers, reference) {
        let best = top(whole)
        if top(answer) == best { agreeing += 1 }
        lost += max(0, whole[best] - answer[best])
        let least = exp(-MaskEffect.largestSurprise) * whole[best]
        surprise += max(0, log(whole[best] / max(answer[best], least)))
      }
    }

    mutating func add(_ other: Sums) {
      agreeing += other.agreeing
      lost += other.lost
      surprise += other.surprise
    }
  }
}

/// The class with the highest score; of equal ones the first.
private func top(_ values: [Double]) -> Int {
  values.indices.max { values[$0] < values[$1] || (values[$0] == values[$1] && $0 > $1) } ?? 0
}

/// Scores as a distribution: as they are if they are one, else their softmax. Without a finite score
/// all classes are equal.
private func probabilities(_ scores: UnsafeBufferPointer<Float>) -> [Double] {
  let values = scores.map { $0.isNaN ? -Double.infinity : Double($0) }
  let sum = values.reduce(0, +)
  if abs(sum - 1) < 1e-3, values.allSatisfy({ $0 >= 0 }) { return values }
  guard let peak = values.max(), peak.isFinite else {
    return values.map { _ in 1 / Double(max(values.count, 1)) }
  }
  let powers = values.map { exp($0 - peak) }
  let total = powers.reduce(0, +)
  return powers.map { $0 / total }
}
