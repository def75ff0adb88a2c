import Engine
package import Foundations
import Plan
import WireProtocol

/// Who is there.
extension InferenceClient {
  /// What is known of each device now.
  package var devices: [DeviceState] {
    let states = core.states(now: .now())
    return zip(core.plan.devices, states).map {
      DeviceState(device: $0.name, state: $1.rawValue, isAlive: $1 == .alive)
    }
  }

  /// Waits until at least `count` devices (default: all that have neurons) are alive.
  ///
  /// - Parameter notice: gets a line about who is being waited for, after a second and a half and then
  ///   whenever that has changed, every second and a half at most.
  /// - Returns: whether they are; false after `timeout`.
  package func waitForDevices(
    _ count: Int? = nil, timeout: Duration, notice: ((String) -> Void)? = nil
  ) throws(MartletError) -> Bool {
    let wanted = count ?? core.plan.devices.count
    let end = MonotonicTime.now().adding(nanoseconds: timeout.nanoseconds)
    var due = notice == nil ? MonotonicTime.distantFuture : .now() + .milliseconds(1500)
    var last = ""
    while devices.count(where: \.isAlive) < wanted {
      let now = MonotonicTime.now()
      guard now < end else { return false }
      if now >= due {
        due = now + .milliseconds(1500)
        let text = absences.map(\.text).joined(separator: ", ")
        if text != last { notice?(text) }
        last = text
      }
      try pump(until: min(end, due))
    }
    return true
  }

  /// Why there is nobody to wait for: no device is alive.
  package var nobodyIsThere: MartletError {
    MartletError(
      .unreachable, "no device is ready",
      context: [
        "devices": absences.map(\.text).joined(separator: ", "), "deployment": root.deployment,
      ], hint: Absence.hint(absences, patience: configuration.patience.milliseconds))
  }
}
