import Logging
import TensorCore
import WireProtocol

/// What a worker hears of others, and of itself.
extension Worker {
  func handlePresence(
    _ payload: [UInt8], of device: String, now: MonotonicTime
  ) throws(MartletError) {
    // An empty retained message clears the topic; it says nothing about anybody.
    if payload.isEmpty {
      if device == name { restatement.want(at: now) }
      return
    }
    guard let presence = try? Presence(payload: payload, source: "presence/\(device)") else {
      if device == name { restatement.want(at: now) }
      return core.count(.garbage, at: now)
    }
    if device == name {
      try judge(presence, now: now)
    } else if presence.epoch <= latestEpoch {
      core.presence(presence, of: device, now: now)
      if !presence.state.isGone, epoch > Epoch.latest(unixMilliseconds: presence.epoch) {
        complain(
          "others refuse this device, for its epoch is more than ten years ahead of theirs: set the clock",
          ["device": name, "own epoch": "\(epoch)", "of \(device)": "\(presence.epoch)"], at: now)
      }
    } else {
      core.count(.futureEpoch, at: now)
      complain(
        "presence is refused, for its epoch is more than ten years ahead of the clock here",
        ["device": device, "epoch": "\(presence.epoch)", "clock": "\(clock)"], at: now)
    }
  }

  /// The wall clock in milliseconds, as wrong as the configuration says.
  var clock: UInt64 {
    unixMilliseconds(offsetSeconds: configuration.clockOffsetSeconds)
  }

  var latestEpoch: UInt64 { max(Epoch.latest(unixMilliseconds: clock), epoch) }

  private func judge(_ seen: Presence, now: MonotonicTime) throws(MartletError) {
    switch OwnPresence.judge(seen, ownEpoch: epoch, published: published, latest: latestEpoch) {
    case .fine: break
    case .republish:
      restatement.want(at: now)
      guard seen.epoch > epoch else { return }
      complain(
        "others are shut out by presence under this device's name, whose epoch cannot be right",
        ["device": name, "own epoch": "\(epoch)", "its epoch": "\(seen.epoch)"], at: now)
    case .superseded(let other): throw superseded(by: other)
    case .takeOver(let other):
      logger.notice(
        "an earlier run of this device had a later epoch, so the clock has gone back; going on after it",
        metadata: ["device": "\(name)", "own epoch": "\(epoch)", "its epoch": "\(other)"])
      overtakenBy = other
      throw superseded(by: other)
    }
  }

  func superseded(by other: UInt64) -> MartletError {
    MartletError(
      .superseded, "another worker runs as this device and is newer, so this one stops",
      context: [
        "device": name, "own epoch": "\(epoch)", "its epoch": "\(other)", "clock": "\(clock)",
      ],
      hint: """
        give each worker a device name of its own; if no other runs, this machine's clock is behind: \
        set it, or keep the last epoch with --state
        """)
  }

  /// Says an error once in ten seconds.
  func complain(_ text: String, _ context: [String: String], at now: MonotonicTime) {
    guard complaints.allows(text, at: now) else { return }
    logger.error("\(text)", metadata: context.mapValues { "\($0)" })
  }
}
