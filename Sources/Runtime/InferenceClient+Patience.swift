import Engine
import Foundations
import MQTT
import Plan
import WireProtocol

/// What a client says when it gives up.
extension InferenceClient {
  /// - Throws: `unreachable`, with why nobody has answered the frame, once the patience is over.
  func checkPatience(_ frame: Outstanding) throws(MartletError) {
    let waited = MonotonicTime.now().nanoseconds(since: frame.submitted)
    guard waited > configuration.patience.nanoseconds else { return }
    if losses > frame.losses + 1, let lastLoss {
      throw MartletError(
        .unreachable,
        "the connection was lost \(losses - frame.losses) times while a frame was under way",
        context: ["last": lastLoss.message, "broker": "\(configuration.address.broker.address)"],
        hint: lastLoss.hint ?? "look into the broker's log for the reason")
    }
    guard case .connected = client.state else {
      var error = MartletError(
        .unreachable, "the broker was gone for \(configuration.patience.milliseconds) ms",
        context: ["broker": "\(configuration.address.broker.address)"],
        hint: "check that it runs; --patience sets how long to wait")
      if let lastLoss { error = error.adding("last", lastLoss.message) }
      throw error
    }
    if let sendFailure { throw sendFailure }
    throw silence(frame)
  }

  /// Why nobody has answered although the broker is there.
  private func silence(_ frame: Outstanding) -> MartletError {
    let patience = configuration.patience.milliseconds
    let states = core.states(now: .now())
    let isHeard = states.contains { $0 == .alive || $0 == .suspect }
    let who =
      isHeard
      ? devices.map { "\($0.device) \($0.state)" } : absences.map(\.text)
    var error = MartletError(
      .unreachable, "no device answered within \(patience) ms",
      context: ["devices": who.joined(separator: ", "), "deployment": root.deployment])
    if !isHeard {
      error.hint = Absence.hint(absences, patience: patience)
    } else if let denial = core.denials.first {
      error.message += ": \(denial.text(root))"
      error.hint = denial.hint
    } else if links.hasSeenTraffic || core.drops.total(.late) > 0
      || traffic.hasGrown(since: frame.arrived)
    {
      error.message += ": parts travel, but not in time"
      error.hint = """
        \(links.text); \(ownTraffic(frame)); move less (--wire f16, fewer devices, another method of martlet plan), or wait \
        longer (--deadline of workers and client, --patience)
        """
    } else {
      error.hint = """
        the devices live, but no parts come. Is a link too slow? \(links.text); \
        \(ownTraffic(frame)). Or, with an access list \
        (acl_file): this user must read act/+/+, and theirs input/+, input/+/<device> and act/+/+
        """
    }
    return error
  }

  /// What this client has seen of parts while it waited for a frame.
  private func ownTraffic(_ frame: Outstanding) -> String {
    return traffic.text(
      since: frame.arrived,
      seconds: Double(MonotonicTime.now().nanoseconds(since: frame.submitted)) / 1e9,
      needs: core.needs(elementBytes: elementBytes), unsent: client.statistics.queuedBytes)
  }

  /// The devices that are not counted on.
  var absences: [Absence] {
    core.absences(now: .now())
  }
}
