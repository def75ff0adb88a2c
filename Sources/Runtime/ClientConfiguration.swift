package import Plan
package import Resilience
package import WireProtocol

/// What a client needs to know besides the plan.
package struct ClientConfiguration: Sendable {
  /// Where the devices are.
  package var address: DeploymentAddress
  /// How inputs are sent.
  package var wire = WireSettings()
  /// Whether to deflate frames that are sent as pixels. It saves about a third, and takes some
  /// milliseconds of everybody: worth it below some 50 Mbit/s.
  package var deflatesFrames = false
  /// How long to wait for the other devices once the first has answered.
  package var deadline = DeadlinePolicy.standard
  /// Whether devices compute and send replicas and parity while their primaries are there.
  package var replicas = Replicas.standby
  /// What is known of the plan's accuracy without some devices, for `Answer.expectedAccuracy`.
  package var study: FailureTable?
  /// For how long nothing may move for a frame before it is sent again; no longer than the patience.
  package var frameLimit: Duration = .seconds(5)
  /// How long to try, with no device or no broker there or nothing that moves, before giving up.
  package var patience: Duration = .seconds(30)
  /// Which answers are given, refused or asked for again.
  package var policy = AnswerPolicy()
  /// What the guesses are drawn with that stand in for answers when nothing reaches the last layer.
  package var guessSeed: UInt64 = 0

  /// The defaults for one address.
  package init(address: DeploymentAddress) { self.address = address }
}
