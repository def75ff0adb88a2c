/// What the paper leaves open about scores (RobustDiCE, section 4.2), decided.
package struct ScoringChoices: Sendable, Hashable {
  /// The y whose gradient makes s2, for one image; images are added up.
  package enum Output: String, Sendable, CaseIterable {
    /// The logit of the class that comes first. A sum of softmax outputs, which the paper's words could
    /// mean, is always 1 and has no gradient.
    case logit
    /// The logarithm of that class's probability, which also counts what raises the other classes. It
    /// is close to zero for images of which the model is sure.
    case logProbability = "log-probability"
  }

  /// The unit of s3. It changes no plan, because scores are normalised before distances are taken.
  package enum Unit: String, Sendable, CaseIterable {
    /// Natural logarithms: at most ln 2.
    case nats
    /// Binary logarithms: at most 1.
    case bits
  }

  /// The y of s2.
  package var output: Output
  /// The unit of s3.
  package var unit: Unit

  /// The logit and nats unless told otherwise.
  package init(output: Output = .logit, unit: Unit = .nats) {
    self.output = output
    self.unit = unit
  }

  /// What files say of s2; nil for what is chosen unless told otherwise.
  package var s2Choice: String? { output == .logit ? nil : output.rawValue }
  /// What files say of s3.
  package var s3Choice: String? { unit == .nats ? nil : unit.rawValue }
}
