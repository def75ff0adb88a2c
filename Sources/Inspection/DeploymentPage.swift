package import Foundations
package import WireProtocol

/// Everything that `martlet top` shows, from the messages of one deployment.
package struct DeploymentPage: Sendable {
  /// The topics of the deployment.
  package let root: TopicRoot
  /// Its devices.
  package private(set) var devices = DeviceBoard()
  /// The answers of its clients.
  package private(set) var answers: AnswerLog
  /// Its topics.
  package private(set) var traffic: TrafficTable
  /// Messages that were not as their topics promise, or with figures that nothing can have measured.
  package private(set) var unreadable = 0
  /// Messages that came faster than they could be taken in.
  package var dropped = 0
  /// Whether the broker is there.
  package var isConnected = true

  /// Nothing is known yet.
  package init(root: TopicRoot, start: MonotonicTime) {
    self.root = root
    answers = AnswerLog(start: start)
    traffic = TrafficTable(start: start, maximumTopics: 2000)
  }

  /// Takes in a message. Tensors are counted only.
  package mutating func receive(
    topic: String, payload: [UInt8], isRetained: Bool, at now: MonotonicTime
  ) {
    traffic.record(topic: topic, bytes: payload.count, isRetained: isRetained, at: now)
    guard let meaning = root.parse(topic), payload.count <= FrameResult.maximumBytes,
      !PermissionCheck.isOne(payload)
    else { return }
    switch meaning {
    case .presence, .heartbeat, .metric, .description:
      if !devices.receive(payload, on: meaning, at: now) { unreadable += 1 }
    case .result(let client):
      guard let result = try? FrameResult(payload: payload, source: "") else {
        unreadable += 1
        return
      }
      answers.receive(result, of: client, at: now)
    case .plan, .input, .activation, .call, .reply: return
    }
  }

  /// The devices by name, as those who wait for their parts see them: one that sends heartbeats but is
  /// gone on without is suspect.
  package func rows(at now: MonotonicTime) -> [DeviceBoard.Row] {
    devices.rows(at: now).map { row in
      guard row.device.state == .alive, !row.device.isGateway,
        answers.isSkipped(row.device.device, of: row.device.plan, at: now)
      else { return row }
      var row = row
      row.device.state = .suspect
      return row
    }
  }
}
