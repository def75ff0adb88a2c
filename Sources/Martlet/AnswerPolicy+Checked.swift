import Foundations
import Resilience
import Runtime

extension AnswerPolicy {
  /// A policy that can be kept.
  ///
  /// - Throws: `invalidArgument` or `notFound` for a minimum that cannot be.
  static func checked(
    minimum: Double?, retries: Bool, study: FailureTable?
  ) throws(MartletError) -> AnswerPolicy {
    let policy = AnswerPolicy(minimumExpected: minimum, retries: retries)
    try wrappingErrors { () throws(Foundations.MartletError) in try policy.check(study: study) }
    return policy
  }
}
