public import TensorCore
public import WireProtocol

/// Everything that `martlet top` shows, from the messages of one deployment.
public struct DeploymentPage: Sendable {
  /// The topics of the deployment.
  public let root: TopicRoot
  /// Its devices.
  public private(set) var devices = DeviceBoard()
  /// The answers of its clients.
  public private(set) var answers: AnswerLog
  /// Its topics.
  public private(set) var traffic: TrafficTable
  /// Messages that came faster than they could be taken in.
  public var dropped = 0
  /// Whether the broker is there.
  public var isConnected = true

  /// Nothing is known yet.
  public init(root: TopicRoot, start: MonotonicTime) {
    self.root = root
    answers = AnswerLog(start: start)
    traffic = TrafficTable(start: start, maximumTopics: 2000)
  }

  /// Takes in a message. Tensors are counted only.
  public mutating func receive(
    topic: String, payload: [UInt8], isRetained: Bool, at now: MonotonicTime
  ) {
    traffic.record(topic: topic, bytes: payload.count, isRetained: isRetained, at: now)
    guard let meaning = root.parse(topic), payload.count <= FrameResult.maximumBytes else { return }
    switch meaning {
    case .presence, .heartbeat, .metric, .description:
      devices.receive(payload, on: meaning, at: now)
    case .result(let client):
      guard let result = try? FrameResult(payload: payload, source: "") else { return }
      answers.receive(result, of: client, at: now)
    case .plan, .input, .activation, .call, .reply: return
    }
  }
}
