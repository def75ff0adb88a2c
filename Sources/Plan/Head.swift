package import Foundations

/// How a model's output is read.
///
/// Part of a plan, so that a client which knows only the plan reads answers rightly.
package struct Head: Sendable, Hashable, Codable {
  /// What the numbers of the output mean.
  package enum Task: String, Sendable, Codable, CaseIterable {
    /// One number a class, and one class is right.
    case classification
    /// One number: whether something is so. Class 0 is no and class 1 is yes.
    case binary
    /// One number a label, and any number of labels are right.
    case multilabel
    /// Neither: a map, a regression, several outputs. The numbers are summarised.
    case raw
  }

  /// What the numbers of a class or label are.
  package enum Scores: String, Sendable, Codable {
    /// Probabilities, taken as they are.
    case probabilities
    /// Logits or log-probabilities: a softmax, or for `binary` and `multilabel` a sigmoid, makes
    /// probabilities of them.
    case logits
    /// Probabilities where they are not negative and add up to one, and else logits.
    case either
  }

  /// What the numbers mean.
  package var task: Task
  /// What they are.
  package var scores: Scores

  /// Makes a head.
  package init(_ task: Task, _ scores: Scores) {
    self.task = task
    self.scores = scores
  }

  /// Of a plan that does not say: a classification.
  package static let unknown = Head(.classification, .either)
  /// Of what cannot be known.
  package static let raw = Head(.raw, .either)

  /// How many classes or labels an output of that many elements tells apart; nil for `raw`.
  package func classes(outputs count: Int) -> Int? {
    switch task {
    case .classification, .multilabel: count
    case .binary: 2
    case .raw: nil
    }
  }

  /// Checks that there is an accuracy to measure.
  ///
  /// - Parameter what: what needs it, such as `martlet study`.
  /// - Throws: `unsupported`.
  package func requireAccuracy(for what: String) throws(MartletError) {
    guard !hasAccuracy else { return }
    throw MartletError(
      .unsupported, "\(what) counts right answers, and of this model's none is right by one class",
      context: ["task": task.rawValue],
      hint: #"if it is a classification, write "task": "classification" into the model's card "#
        + "and plan again")
  }

  /// Checks that answers are one class of several, for what compares distributions over classes.
  ///
  /// - Parameters:
  ///   - what: what needs it, such as `--method budget`.
  ///   - hint: another way out than a different model.
  /// - Throws: `unsupported`.
  package func requireOneOfMany(for what: String, hint: String? = nil) throws(MartletError) {
    guard task != .classification else { return }
    throw MartletError(
      .unsupported, "\(what) compares answers that are one class of several",
      context: ["task": task.rawValue],
      hint: hint
        ?? #"if the model is a classification, write "task": "classification" into its card"#)
  }

  /// Whether an answer is right or wrong by one class, so that there is an accuracy.
  package var hasAccuracy: Bool { task == .classification || task == .binary }
}

extension Plan {
  /// How the model's output is read; a plan that does not say is one of a classification.
  package var head: Head { model.head ?? .unknown }
}
