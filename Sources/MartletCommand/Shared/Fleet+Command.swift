import Engine
import Foundations
import LocalFleet
import Logging
import Plan
import Resilience
import Runtime

extension Fleet {
  /// The device that is made to fail: the middle one.
  var victim: String { names[names.count / 2] }

  /// Says only what went wrong.
  static let logger: Logger = {
    var logger = Logger(label: "martlet") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = .error
    return logger
  }()

  /// A client that knows the plan's study, not yet connected.
  func localClient(
    _ adjust: (inout ClientConfiguration) -> Void
  ) throws(MartletError) -> InferenceClient {
    let study = try FailureTable.read(beside: plan)
    return try client(logger: Self.logger) {
      $0.study = study
      adjust(&$0)
    }
  }
}
