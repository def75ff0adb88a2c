package import Plan

/// How far an answer can be trusted, by what was missing from it.
package enum Reliability: Sendable, Hashable {
  /// Nothing was missing.
  case complete
  /// Something was missing, and a study says what that costs.
  ///
  /// - Parameters:
  ///   - accuracy: the share of such answers that are right, 0 to 1.
  ///   - whole: the same with all devices.
  case expected(accuracy: Double, whole: Double)
  /// Something was missing, and no study says what that costs.
  case unknown

  /// The share of the whole accuracy, below which an answer counts as unreliable.
  package static let tolerance = 0.95

  /// What is known of an answer.
  ///
  /// - Parameters:
  ///   - isComplete: whether nothing at all was missing from it.
  ///   - alive: the devices of which nothing was missing, by device.
  ///   - study: of the plan, if there is one.
  ///   - moment: whether the others were known to be missing.
  package init(
    isComplete: Bool, alive: [Bool], study: FailureTable?, at moment: FailureTable.Moment = .later
  ) {
    if isComplete {
      self = .complete
    } else if let study, let estimate = study.expectedAccuracy(alive: alive, at: moment) {
      self = .expected(accuracy: estimate.accuracy, whole: study.wholeAccuracy)
    } else {
      self = .unknown
    }
  }

  /// What can be expected of the answers of a plan while exactly these devices are alive.
  package init(of plan: Plan, alive: [Bool], study: FailureTable?) {
    let row = study?.row(failed: alive.indices.filter { !alive[$0] })
    self.init(
      isComplete: row.map { $0.lostNeurons == 0 && !$0.isGuess } ?? plan.isWhole(alive: alive),
      alive: alive, study: study)
  }

  /// Whether it is about as good as with all devices; false where nobody knows.
  package var isReliable: Bool {
    switch self {
    case .complete: true
    case .expected(let accuracy, let whole): accuracy >= Reliability.tolerance * whole
    case .unknown: false
    }
  }
}

extension FailureTable {
  /// The accuracy with all devices.
  package var wholeAccuracy: Double { estimate(rows[0]).accuracy }
}
