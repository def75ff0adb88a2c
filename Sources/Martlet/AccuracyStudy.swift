import Foundations
import Resilience

/// What failures cost, known beforehand: the accuracy of a plan without some of its devices.
public struct AccuracyStudy: Sendable {
  /// A share of right answers.
  public struct Accuracy: Sendable, Hashable {
    /// The share, 0 to 1.
    public let value: Double
    /// The interval of 95 % confidence over the choice of images (Wilson), within 0 to 1.
    public let interval: ClosedRange<Double>

    init(_ estimate: FailureTable.Estimate) {
      value = estimate.accuracy
      let bounds = estimate.interval
      interval = min(bounds.lower, bounds.upper)...bounds.upper
    }
  }

  /// The outcome of one set of failures.
  public struct Outcome: Sendable, Hashable {
    /// The devices that are gone; never all of them.
    public let failed: [String]
    /// How many answers are right.
    public let accuracy: Accuracy
    /// Neurons that nobody supplies, over all layers.
    public let lostNeurons: Int
    /// Whether nothing reaches the last layer, so that answers are guesses.
    public let isGuess: Bool
  }

  /// The outcomes of so many failures, over which devices these are.
  public struct Summary: Sendable, Hashable {
    /// How many devices fail.
    public let failures: Int
    /// The mean over the sets of that size that were studied.
    public let average: Accuracy
    /// The worst of them.
    public let worst: Outcome
    /// The best of them.
    public let best: Outcome
  }

  /// The id of the plan that was studied.
  public let plan: String
  /// Its devices' names, in order.
  public let devices: [String]
  /// How many images were classified.
  public let images: Int
  /// Images that could not be read, by name; empty for a study that was read from a file.
  public let unreadable: [String]
  /// All sets of failures that were studied, by size; the first is that without failures.
  public let outcomes: [Outcome]
  /// The same sets in the frame in which their devices die; empty where only later frames were studied.
  public let outcomesAtLoss: [Outcome]
  /// By number of failures, from none.
  public let summaries: [Summary]

  private let table: FailureTable

  init(_ table: FailureTable, unreadable: [String] = []) {
    self.table = table
    self.unreadable = unreadable
    plan = table.plan
    devices = table.devices
    images = table.images
    func read(_ rows: [FailureTable.Row]) -> [Outcome] {
      rows.map { row in
        Outcome(
          failed: row.failed.map { table.devices[$0] }, accuracy: Accuracy(table.estimate(row)),
          lostNeurons: row.lostNeurons, isGuess: row.isGuess)
      }
    }
    let outcomes = read(table.rows)
    self.outcomes = outcomes
    outcomesAtLoss = read(table.atLoss?.rows ?? [])
    summaries = table.summaries.compactMap { summary in
      func outcome(_ failed: [Int]) -> Outcome? {
        table.rows.firstIndex { $0.failed == failed }.map { outcomes[$0] }
      }
      guard let worst = outcome(summary.minimum.failed),
        let best = outcome(summary.maximum.failed)
      else { return nil }
      return Summary(
        failures: summary.failures, average: Accuracy(summary.average), worst: worst, best: best)
    }
  }

  /// The accuracy without these devices; nil for a set that was not studied or names that are no
  /// devices of the plan.
  public func accuracy(without failed: Set<String>) -> Accuracy? {
    guard failed.isSubset(of: devices) else { return nil }
    return table.expectedAccuracy(alive: devices.map { !failed.contains($0) }).map {
      Accuracy($0)
    }
  }

  /// The accuracy to expect when each device is there with a probability of its own, independently of
  /// the others; with nobody there, that of a guess.
  ///
  /// - Parameter reliabilities: by device, 0 to 1.
  /// - Returns: 0 to 1.
  /// - Throws: ``MartletError``: `invalidArgument` for other numbers or missing devices, `unsupported`
  ///   when a set of failures that can happen was not studied.
  public func expectedAccuracy(reliabilities: [String: Double]) throws(MartletError) -> Double {
    let given = devices.compactMap { reliabilities[$0] }
    return try wrappingErrors { () throws(Foundations.MartletError) in
      try table.expectedAccuracy(reliabilities: given)
    }
  }
}
