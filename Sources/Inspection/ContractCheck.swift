import Foundations
import WireProtocol

/// Whether JSON payloads keep the contract of their topics.
enum ContractCheck {
  /// What is wrong with a payload on this topic; nil when nothing is, or nothing is known.
  static func flaw(of payload: [UInt8], on topic: Topic, root: TopicRoot) -> String? {
    switch topic {
    case .presence: flaw(Presence.self, payload)
    case .heartbeat: flaw(Heartbeat.self, payload)
    case .description: flaw(DeviceDescription.self, payload)
    case .plan: flaw(PlanAnnouncement.self, payload)
    case .metric(_, let kind):
      switch MetricKind(rawValue: kind) {
      case .frame: flaw(FrameMetric.self, payload)
      case .memory: flaw(MemoryMetric.self, payload)
      case .energy: flaw(EnergyMetric.self, payload)
      case .system: flaw(SystemMetric.self, payload)
      case nil: nil
      }
    case .result: flaw(FrameResult.self, payload)
    case .reply:
      flaw { () throws(MartletError) in _ = try RPCReply(payload: payload, source: "payload") }
    case .call(let service, let method, _): flaw(request: payload, RPCMethod(service, method), root)
    case .input, .activation: nil
    }
  }

  private static func flaw<Message: WireMessage>(
    _ type: Message.Type, _ payload: [UInt8]
  ) -> String? {
    flaw { () throws(MartletError) in _ = try Message(payload: payload, source: "payload") }
  }

  private static func flaw(_ read: () throws(MartletError) -> Void) -> String? {
    do throws(MartletError) {
      try read()
      return nil
    } catch {
      return "\(error)"
    }
  }

  private static func flaw(
    request payload: [UInt8], _ method: RPCMethod, _ root: TopicRoot
  ) -> String? {
    do throws(RPCRefusal) {
      _ = try RPCRequest(
        decoding: payload, of: method, root: root, maximumBytes: maximumRequestBytes)
      return nil
    } catch {
      return error.status.message
    }
  }

  /// As large as a client receives messages.
  private static let maximumRequestBytes = 16 << 20
}
