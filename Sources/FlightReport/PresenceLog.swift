import WireProtocol

/// A device's states over time, from its presence and its heartbeats.
struct PresenceLog: Sendable {
  private struct Change {
    var state: String
    var time: UInt64
  }

  /// Beyond this many changes the earliest are forgotten.
  static let maximumChanges = 4096
  private var changes: [Change] = []
  private var heartbeatNanoseconds: UInt64 = 1_000_000_000
  private var lastBeat: UInt64?
  private var epoch: UInt64 = 0

  /// Takes word of the device's state. A will of an earlier run says nothing about this one.
  mutating func add(_ presence: Presence, at time: UInt64) {
    guard presence.epoch >= epoch else { return }
    epoch = presence.epoch
    heartbeatNanoseconds = UInt64(presence.heartbeatMilliseconds) * 1_000_000
    notice(silenceUntil: time)
    if presence.state.isGone { lastBeat = nil }
    append(presence.state.rawValue, time)
  }

  /// Takes a sign of life.
  mutating func add(_ heartbeat: Heartbeat, at time: UInt64) {
    guard heartbeat.epoch >= epoch else { return }
    notice(silenceUntil: time)
    lastBeat = max(lastBeat ?? 0, time)
    if changes.last?.state == "silent" { append("ready", time) }
  }

  /// Three beats without one are silence from the third on.
  private mutating func notice(silenceUntil time: UInt64) {
    guard let lastBeat, changes.last?.state == "ready" else { return }
    let (due, overflow) = lastBeat.addingReportingOverflow(3 * heartbeatNanoseconds)
    if !overflow, time > due { append("silent", due) }
  }

  private mutating func append(_ state: String, _ time: UInt64) {
    guard changes.last?.state != state else { return }
    changes.append(Change(state: state, time: max(time, changes.last?.time ?? 0)))
    if changes.count > PresenceLog.maximumChanges { changes.removeFirst() }
  }

  /// The states up to `end`, in seconds from `start`.
  func figures(start: UInt64, end: UInt64) -> [FlightReport.Presence] {
    var log = self
    log.notice(silenceUntil: end)
    func seconds(_ time: UInt64) -> Double { (Double(time) - Double(start)) / 1e9 }
    return log.changes.indices.map { index in
      let next = index + 1 < log.changes.count ? log.changes[index + 1].time : end
      return FlightReport.Presence(
        state: log.changes[index].state, startSeconds: seconds(log.changes[index].time),
        endSeconds: seconds(max(next, log.changes[index].time)))
    }
  }
}
