import Foundations
import JSONCoding
import Testing
import WireProtocol

/// A server of two methods on a clock that the test sets.
struct RPCBench {
  static let root: TopicRoot = {
    guard let root = try? TopicRoot(deployment: "default") else { preconditionFailure("a root") }
    return root
  }()
  var server: RPCServerState
  var now = seconds(100)

  init(_ adjust: (inout RPCServerState.Limits) -> Void = { _ in }) {
    var limits = RPCServerState.Limits()
    adjust(&limits)
    server = RPCServerState(
      name: "d0", methods: [RPCMethod("device", "stats"), RPCMethod("health", "check")],
      root: RPCBench.root, limits: limits)
  }

  /// Sends a payload to a method.
  mutating func send(
    _ payload: String, to method: String = "device/stats",
    properties: RPCProperties = RPCProperties(), waited: Double = 0
  ) throws -> [RPCServerState.Action] {
    let method = try #require(RPCMethod(parsing: method))
    return server.receive(
      Array(payload.utf8),
      on: .call(service: method.service, method: method.method, target: "d0"),
      properties: properties,
      arrived: MonotonicTime(nanoseconds: now.nanoseconds - UInt64(waited * 1e9)), at: now)
  }
}

extension [RPCServerState.Action] {
  /// The calls to execute.
  var calls: [RPCCall] {
    compactMap { if case .execute(let call) = $0 { call } else { nil } }
  }

  /// What is published.
  var messages: [RPCMessage] {
    compactMap { if case .publish(let message) = $0 { message } else { nil } }
  }

  /// The replies that are published.
  var replies: [RPCReply] {
    get throws {
      try messages.map { try RPCReply(payload: $0.payload, source: $0.topic) }
    }
  }

  /// What is counted.
  var counted: [RejectReason] {
    compactMap { if case .count(let reason) = $0 { reason } else { nil } }
  }

  /// The calls to give up.
  var abandoned: [RPCCallKey] {
    compactMap { if case .abandon(let key) = $0 { key } else { nil } }
  }
}

/// A request's text.
func request(
  id: String = "1", client: String = "c", deadline: String = "1000", more: String = ""
) -> String {
  #"{"id":"\#(id)","client":"\#(client)","deadline_ms":\#(deadline)\#(more)}"#
}
