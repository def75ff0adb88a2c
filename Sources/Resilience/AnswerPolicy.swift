package import Foundations

/// Which answers are good enough to be given.
package struct AnswerPolicy: Sendable, Hashable {
  /// The least expected accuracy, 0 to 1: what is below, or not known to be above, is refused. Nil
  /// gives every answer.
  package var minimumExpected: Double?
  /// Whether a frame whose answer is not good enough is asked for again when enough devices are back.
  package var retries: Bool

  /// Gives every answer, the first time.
  package init(minimumExpected: Double? = nil, retries: Bool = false) {
    self.minimumExpected = minimumExpected
    self.retries = retries
  }

  /// Checks that the policy can be kept.
  ///
  /// - Throws: `invalidArgument` for a minimum that is no accuracy or that not even all devices reach;
  ///   `notFound` for a minimum without a study.
  package func check(study: FailureTable?) throws(MartletError) {
    guard let minimumExpected else { return }
    guard (0...1).contains(minimumExpected) else {
      throw MartletError(
        .invalidArgument, "the least expected accuracy must be from 0 to 1",
        context: ["given": "\(minimumExpected)"])
    }
    guard let study else {
      throw MartletError(
        .notFound, "a least expected accuracy needs a study of the plan, and there is none",
        hint: "run martlet study, which leaves study.json in the plan's folder")
    }
    guard study.wholeAccuracy >= minimumExpected else {
      throw MartletError(
        .invalidArgument, "not even all devices reach the least expected accuracy",
        context: ["asked for": "\(minimumExpected)", "with all devices": "\(study.wholeAccuracy)"])
    }
  }

  /// Whether an answer may be given.
  package func accepts(_ reliability: Reliability) -> Bool {
    guard let minimumExpected else { return true }
    return switch reliability {
    case .complete: true
    case .expected(let accuracy, _): accuracy >= minimumExpected
    case .unknown: false
    }
  }

  /// Whether asking again could not do better: what the minimum asks for, or, without one, an answer
  /// about as good as with all devices.
  package func isSatisfied(by reliability: Reliability) -> Bool {
    minimumExpected == nil ? reliability.isReliable : accepts(reliability)
  }
}
