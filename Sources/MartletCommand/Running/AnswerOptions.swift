import ArgumentParser
import Foundations
import Resilience

/// Which answers are good enough.
struct AnswerOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Refuse answers of which less than this share are right, 0 to 1, by the plan's study.",
      discussion: """
        An answer from which something was missing is refused if the study beside the plan (see martlet \
        study) expects less of the devices that were there, or says nothing of them.
        """, valueName: "share"))
  var minExpected: Double?

  @Flag(
    help: ArgumentHelp(
      "Ask again when enough devices are back.",
      discussion: """
        An answer that --min-expected refuses, or, without that, one that is not about as reliable as \
        with all devices, is asked for again as soon as enough devices are there, until --patience or \
        the request's deadline ends; then the last one counts. Each image is answered once.
        """))
  var retry = false

  func validate() throws {
    guard minExpected.map((0...1).contains) ?? true else {
      throw ValidationError("--min-expected must be from 0 to 1")
    }
  }

  /// - Throws: what `AnswerPolicy.check` throws.
  func policy(study: FailureTable?) throws(MartletError) -> AnswerPolicy {
    let policy = AnswerPolicy(minimumExpected: minExpected, retries: retry)
    try policy.check(study: study)
    return policy
  }
}
