import Engine
import Foundations
import Logging
import MQTT
import WireProtocol

/// What a client does with all that it hears.
extension InferenceClient {
  /// Handles what has arrived, waiting until `deadline` for something to arrive.
  func pump(until deadline: MonotonicTime) throws(MartletError) {
    if isStopped { throw MartletError(.cancelled, "stopped") }
    let start = MonotonicTime.now()
    let events = mailbox.take(until: deadline)
    // Slept longer than asked for: this process was stopped, or others had the processor.
    let away = MonotonicTime.now().duration(since: max(deadline, start))
    if away >= Attention.threshold { core.wasAway(away) }
    for event in events { try handle(event, now: .now()) }
    let now = MonotonicTime.now()
    if !outstanding.isEmpty {
      let queued = client.statistics.queuedBytes
      if queued < unsent { core.passes(at: now) }
      unsent = queued
    }
    for change in core.takeChanges(now: now) {
      onChange?(
        DeviceState(
          device: change.device, state: change.to.rawValue, isAlive: change.to == .alive))
    }
    for notice in core.takeDenials() { logger.log(notice, root: root) }
    for line in core.takeDropLines(now: now) {
      logger.warning(
        "dropped messages",
        metadata: [
          "reason": "\(line.reason.rawValue)", "count": "\(line.count)", "total": "\(line.total)",
        ])
    }
  }

  private func handle(_ event: NetworkEvent, now: MonotonicTime) throws(MartletError) {
    switch event {
    case .message(let topic, let payload): handle(payload, on: topic, now: now)
    case .unknownTopic, .call: core.count(.unknownTopic, at: now)
    case .wake: isWoken = true
    case .stop: isStopped = true
    case .connection(.takenOver(let error)): throw error
    case .connection(.disconnected(let error)):
      core.disconnected()
      losses += 1
      lastLoss = error
    // The MQTT client logs its attempts.
    case .connection(.refused): break
    case .connection(.subscriptionRefused(_, let error)),
      .connection(.publishRefused(_, let error)):
      logger.error("\(error)")
    case .connection(.connected), .connection(.closed): break
    }
  }

  private func handle(_ payload: [UInt8], on topic: Topic, now: MonotonicTime) {
    switch topic {
    case .activation(_, let device):
      traffic.add(payload.count, of: device)
      core.part(payload, on: topic, now: now)
    case .heartbeat(let device):
      guard let beat = try? Heartbeat(payload: payload, source: "heartbeat/\(device)") else {
        return core.count(.garbage, at: now)
      }
      core.heartbeat(beat, of: device, now: now)
    case .presence(let device):
      if payload.isEmpty { return }
      guard let presence = try? Presence(payload: payload, source: "presence/\(device)") else {
        return core.count(.garbage, at: now)
      }
      let clock = unixMilliseconds()
      guard presence.epoch <= Epoch.latest(unixMilliseconds: clock) else {
        core.count(.futureEpoch, at: now)
        if isFirstRefusal(of: device) {
          logger.error(
            "presence is refused, for its epoch is more than ten years ahead of the clock here",
            metadata: [
              "device": "\(device)", "epoch": "\(presence.epoch)", "clock": "\(clock)",
            ])
        }
        return
      }
      core.presence(presence, of: device, now: now)
    case .description(let device):
      if payload.isEmpty { return }
      guard
        let description = try? DeviceDescription(payload: payload, source: "desc/\(device)")
      else { return core.count(.garbage, at: now) }
      if let other = core.description(description, of: device) {
        logger.error(
          "a device runs another plan and is not used; give it this plan and start it again",
          metadata: [
            "device": "\(device)", "its plan": "\(other)", "this plan": "\(core.planID)",
          ])
      }
    default: core.count(.unknownTopic, at: now)
    }
  }
}
