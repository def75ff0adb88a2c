import Foundations

/// A message on `metric/<device>/<kind>`: what happened since the one before it.
///
/// A report adds up what it got; a gap in `seq` says that something is missing from the sum.
package protocol MetricMessage: WireMessage {
  /// The last level of its topic.
  static var kind: MetricKind { get }
  /// The run of the device that this belongs to.
  var epoch: UInt64 { get }
  /// Counts the device's messages of this kind in this run.
  var sequence: UInt64 { get }
  /// The length of the interval.
  var intervalMilliseconds: Double { get }
}

/// The kinds of metrics: the last levels of their topics.
package enum MetricKind: String, Sendable, CaseIterable {
  /// Frames, times, bytes, fills and drops.
  case frame
  /// Resident memory, weights, working memory, queues.
  case memory
  /// Joules and watts.
  case energy
  /// CPU time, temperature, clock.
  case system
}

extension MetricMessage {
  /// Checks what all metrics have.
  func checkInterval() throws(MartletError) {
    try Field.number(epoch, "epoch")
    try Field.number(sequence, "seq")
    try Field.interval(intervalMilliseconds, "interval_ms")
  }
}

extension Field {
  /// A measured quantity: finite, not negative, and nothing that no device could have measured.
  ///
  /// Whoever adds such values up or divides one by another gets a finite number: the bounds keep sums
  /// of any number of messages and their ratios far from the largest number.
  static func measure(_ value: Double, _ field: String) throws(MartletError) {
    try require(value == 0 || (value >= 1e-18 && value < 1e12), field, "\(value)")
  }

  /// Milliseconds between two messages, by which others divide: nothing at all, or a microsecond and
  /// more.
  static func interval(_ value: Double, _ field: String) throws(MartletError) {
    try require(value == 0 || (value >= 1e-3 && value < 1e12), field, "\(value)")
  }
}
