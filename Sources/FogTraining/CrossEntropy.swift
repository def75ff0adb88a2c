/// Softmax and cross-entropy with class weights, summed over a batch and divided by its size.
package enum CrossEntropy {
  /// What a batch came to.
  package struct Result {
    /// The loss: the sum of weight times -log p over the rows, divided by their number.
    package var loss: Double
    /// Rows whose largest logit is that of the label.
    package var correct: Int
  }

  /// The loss of the first rows and, if wanted, its gradient with respect to all logits; that of
  /// rows beyond is zero.
  ///
  /// - Parameters:
  ///   - logits: `[batch, classes]`.
  ///   - labels: of the rows that count, at most `batch`.
  ///   - weights: by class.
  ///   - gradient: `[batch, classes]`, or nil.
  package static func run<Scalar: Real>(
    _ logits: UnsafePointer<Scalar>, labels: [Int], batch: Int, classes: Int, weights: [Scalar],
    gradient: UnsafeMutablePointer<Scalar>?
  ) -> Result {
    var result = Result(loss: 0, correct: 0)
    let share = 1 / Scalar(max(labels.count, 1))
    for (row, label) in labels.enumerated() {
      let line = logits + row * classes
      var (largest, best) = (line[0], 0)
      for index in 1..<classes where line[index] > largest {
        (largest, best) = (line[index], index)
      }
      var sum: Scalar = 0
      for index in 0..<classes { sum += Scalar.exponential(line[index] - largest) }
      let weight = weights[label]
      result.loss += Double(weight * (Scalar.logarithm(sum) - (line[label] - largest)))
      if best == label { result.correct += 1 }
      guard let gradient else { continue }
      let target = gradient + row * classes
      let factor = weight * share
      for index in 0..<classes {
        target[index] = factor * Scalar.exponential(line[index] - largest) / sum
      }
      target[label] -= factor
    }
    result.loss /= Double(max(labels.count, 1))
    if let gradient, labels.count < batch {
      (gradient + labels.count * classes).update(
        repeating: 0, count: (batch - labels.count) * classes)
    }
    return result
  }
}
