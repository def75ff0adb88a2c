import Plan

/// What a model's outputs say.
public struct Prediction: Sendable, Hashable {
  /// A class or label.
  public struct Candidate: Sendable, Hashable {
    /// Its number among the model's outputs, from 0.
    public let label: Int
    /// Its name, where it is known.
    public let name: String?
    /// The probability of it, 0 to 1.
    public let confidence: Double

    init(_ candidate: Plan.Reading.Candidate) {
      label = candidate.label
      name = candidate.name
      confidence = candidate.confidence
    }
  }

  /// How the outputs were read.
  public let task: Model.Task
  /// The likeliest classes or labels, best first, at most as many as asked for; empty for
  /// ``Model/Task/raw``.
  public let top: [Candidate]
  /// For ``Model/Task/multilabel``: all labels of at least one half, likeliest first, at most 100.
  public let chosen: [Candidate]

  /// The likeliest class or label; nil if the outputs name none.
  public var best: Candidate? { top.first }

  init(_ prediction: Plan.Reading) {
    task = Model.Task(prediction.head.task)
    top = prediction.top.map(Candidate.init)
    chosen = prediction.chosen.map(Candidate.init)
  }
}
