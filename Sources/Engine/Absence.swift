import Foundations
package import WireProtocol

/// What is known of a device that is not counted on, in words for whoever waits for it.
package struct Absence: Sendable, Equatable {
  /// The device.
  package var device: String
  /// How it is seen.
  package var state: PeerState
  /// What it said of itself last, if that is still there.
  package var presence: Presence?

  /// What is known of a device.
  package init(device: String, state: PeerState, presence: Presence?) {
    self.device = device
    self.state = state
    self.presence = presence
  }

  /// Its name, and why it is not there.
  package var text: String { "\(device) (\(reason))" }

  private var reason: String {
    switch (state, presence?.state) {
    case (.unknown, .ready):
      "said that it was ready, and no heartbeat has come yet; one is due every \(beat)"
    case (.unknown, .starting): "starting"
    case (.unknown, _): "nothing heard"
    case (.lost, .offline): "stopped"
    case (.lost, _): "cut off or ended"
    case (.suspect, _): "silent"
    case (.draining, _): "leaving"
    case (.fenced, _): "runs another plan"
    case (.alive, _): "there"
    }
  }

  private var beat: String {
    let milliseconds = presence?.heartbeatMilliseconds ?? 0
    return milliseconds % 1000 == 0 ? "\(milliseconds / 1000) s" : "\(milliseconds) ms"
  }

  /// What to do about devices that are not there.
  ///
  /// - Parameter patience: how long they are waited for, in milliseconds.
  package static func hint(_ absences: [Absence], patience: Int) -> String {
    if let other = absences.first(where: { $0.state == .fenced }) {
      return "give \(other.device) this plan and start it again"
    }
    let ready = absences.filter { $0.state == .unknown && $0.presence?.state == .ready }
    if let slow = ready.first(where: { $0.presence?.heartbeatMilliseconds ?? 0 > patience / 2 }) {
      return """
        \(slow.device) sends a heartbeat only every \(slow.beat), and is not believed to be there before \
        one comes: wait longer with --patience, or start its worker with a shorter --heartbeat
        """
    }
    if let stale = ready.first, ready.count == absences.count {
      return """
        the broker still has the word of \(stale.device) that it is ready, but the worker behind it is \
        gone or its heartbeats do not come: start it again; with an access list (acl_file), this user \
        must read heartbeat/+
        """
    }
    return """
      start the workers, with the same plan and deployment; with an access list (acl_file), this user \
      must read presence/+, heartbeat/+ and act/+/+
      """
  }
}
