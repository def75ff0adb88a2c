import Engine
import Foundations
import MQTT
import Plan
import WireProtocol

/// What a client says when it gives up.
extension InferenceClient {
  /// - Throws: `unreachable`, with why nobody has answered the frame, once nothing has moved for it for as
  ///   long as the patience.
  func checkPatience(_ frame: Outstanding) throws(MartletError) {
    let still = frame.progress.stillSince(
      moved: core.moved, movement: core.lastMovement(since: frame.progress.mark))
    guard MonotonicTime.now() > still + configuration.patience else { return }
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
      .unreachable, "no device answered, and for \(patience) ms nothing has come any further",
      context: ["devices": who.joined(separator: ", "), "deployment": root.deployment])
    if !isHeard {
      error.hint = Absence.hint(absences, patience: patience)
    } else if let denial = core.denials.first {
      error.message += ": \(denial.text(root))"
      error.hint = denial.hint
    } else if core.drops.total(.late) > 0 || core.hasMoved(since: frame.firstMark) {
      error.message += ": tensors moved, and came to a stop"
      error.hint = """
        \(ownTraffic(frame)); \(links.text(rates: core.rates)); move less (--wire f16, fewer devices, \
        another method of martlet plan), or wait longer (--patience)
        """
    } else if core.isToldOfMovement, client.statistics.queuedBytes == 0 {
      error.message += ": the frame left this client and reached no device"
      error.hint = """
        with an access list (acl_file), the devices' users must read input/+ and input/+/<device>; \(ownTraffic(frame)); \
        \(links.text(rates: core.rates))
        """
    } else {
      error.message += ": no part came"
      error.hint = "\(ownTraffic(frame)); \(links.text(rates: core.rates))"
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
