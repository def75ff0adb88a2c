import Engine
import Foundations
import Logging
import WireProtocol

/// What a worker hears of others, and of itself.
extension Worker {
  func handlePresence(
    _ payload: [UInt8], of device: String, now: MonotonicTime
  ) throws(MartletError) {
    if device == name {
      if try !presence.hear(presence: payload, at: now) { core.count(.garbage, at: now) }
      return
    }
    // An empty retained message clears the topic; it says nothing about anybody.
    if payload.isEmpty { return }
    guard let seen = try? Presence(payload: payload, source: "presence/\(device)") else {
      return core.count(.garbage, at: now)
    }
    if seen.epoch <= presence.latestEpoch {
      core.presence(seen, of: device, now: now)
      if !seen.state.isGone, epoch > Epoch.latest(unixMilliseconds: seen.epoch) {
        complain(
          "others refuse this device, for its epoch is more than ten years ahead of theirs: set the clock",
          ["device": name, "own epoch": "\(epoch)", "of \(device)": "\(seen.epoch)"], at: now)
      }
    } else {
      core.count(.futureEpoch, at: now)
      complain(
        "presence is refused, for its epoch is more than ten years ahead of the clock here",
        ["device": device, "epoch": "\(seen.epoch)", "clock": "\(clock)"], at: now)
    }
  }

  /// The wall clock in milliseconds, as wrong as the configuration says.
  var clock: UInt64 {
    unixMilliseconds(offsetSeconds: configuration.clockOffsetSeconds)
  }

  /// Says an error once in ten seconds.
  func complain(_ text: String, _ context: [String: String], at now: MonotonicTime) {
    guard complaints.allows(text, at: now) else { return }
    logger.error("\(text)", metadata: context.mapValues { "\($0)" })
  }
}
