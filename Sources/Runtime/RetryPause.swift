import MQTT

/// How long to rest before the next attempt at something that has failed: longer each time, until it
/// works for a while.
package struct RetryPause: Sendable {
  /// What has worked for so long fails for a new reason.
  package static let calm = Duration.seconds(10)
  /// The longest pause.
  package static let longest = Duration.seconds(5)
  private static let backoff = MQTTBackoff(initial: .milliseconds(100), maximum: longest)
  private var attempt = 0

  package init() {}

  /// - Parameter worked: for how long it worked before it failed.
  package mutating func next(
    after worked: Duration, using generator: inout some RandomNumberGenerator
  ) -> Duration {
    if worked >= RetryPause.calm { attempt = 0 }
    defer { attempt += 1 }
    return RetryPause.backoff.delay(attempt: attempt, using: &generator)
  }
}
