package import Foundations
package import JSONCoding

/// What a caller does with replies and time: which of its calls have ended and how. Knows neither
/// sockets nor clocks.
package struct RPCClientState: Sendable {
  /// What became of a call.
  package enum Event: Sendable, Equatable {
    /// One item of a stream, or the result of a unary call, with who sent it.
    case item(id: String, body: JSONValue, from: String)
    /// The call has ended.
    case ended(id: String, RPCStatus)
  }

  private struct Pending: Sendable {
    var request: RPCRequest
    var target: String
    var deadline: MonotonicTime
    var nextIndex: UInt64 = 0
    /// Who began to answer: a second server with the same name is not listened to.
    var from: String?
  }

  /// Calls under way at most.
  package static let maximumCalls = 1024

  /// The `<client>` of the reply topics.
  package let client: String
  /// Replies that belong to no call, are repeated or unreadable.
  package private(set) var ignored: UInt64 = 0
  private let root: TopicRoot
  private var pending: [String: Pending] = [:]

  /// A caller without calls.
  ///
  /// - Throws: `invalidArgument` when `client` is not an identifier.
  package init(client: String, root: TopicRoot) throws(MartletError) {
    try Identifier.check(client, what: "client")
    self.client = client
    self.root = root
  }

  /// Calls under way.
  package var callCount: Int { pending.count }

  /// When the next call expires.
  package var nextDeadline: MonotonicTime {
    pending.values.lazy.map(\.deadline).min() ?? .distantFuture
  }

  /// Begins a call.
  ///
  /// - Parameters:
  ///   - id: a text that no other call of this client has, now or soon.
  ///   - target: a device, or the name of a group of gateways.
  /// - Returns: the request to publish.
  /// - Throws: `invalidArgument` for what the other side would refuse, `resourceExhausted` above
  ///   `maximumCalls`.
  package mutating func begin(
    _ method: RPCMethod, target: String, id: String, body: RPCBody = .none,
    metadata: [String: String] = [:], deadlineMilliseconds: UInt64, at now: MonotonicTime
  ) throws(MartletError) -> RPCMessage {
    guard pending.count < RPCClientState.maximumCalls else {
      throw MartletError(.resourceExhausted, "too many calls are under way")
    }
    guard pending[id] == nil else {
      throw MartletError(
        .invalidArgument, "a call of this id is under way", context: ["id": id])
    }
    let key = RPCCallKey(client: client, method: method, id: id)
    let request = RPCRequest(
      key: key, deadlineMilliseconds: deadlineMilliseconds, metadata: metadata, body: body)
    let message = try request.message(to: target, root: root)
    pending[id] = Pending(
      request: request, target: target,
      deadline: now.adding(milliseconds: deadlineMilliseconds))
    return message
  }

  /// The request once more, with what is left of its deadline, for when it may have been lost with a
  /// server. The same server executes it once; another server of the same name may execute it again.
  ///
  /// - Returns: nil once an answer has begun or the deadline has passed.
  package func repeated(_ id: String, at now: MonotonicTime) -> RPCMessage? {
    guard let call = pending[id], call.from == nil else { return nil }
    var request = call.request
    request.deadlineMilliseconds = call.deadline.nanoseconds(since: now) / 1_000_000
    return try? request.message(to: call.target, root: root)
  }

  /// Takes a message; those that are not replies to a call under way are ignored and counted.
  package mutating func receive(_ payload: [UInt8], on topic: Topic) -> [Event] {
    guard case .reply(client, let service) = topic,
      let reply = try? RPCReply(payload: payload, source: "reply/\(client)/\(service)"),
      var call = pending[reply.id], call.request.key.method.service == service,
      call.from ?? reply.from == reply.from, reply.index >= call.nextIndex
    else {
      ignored += 1
      return []
    }
    guard reply.index == call.nextIndex || !carriesOn(reply) else {
      pending[reply.id] = nil
      return [.ended(id: reply.id, RPCStatus(.dataLoss, "a part of the answer is missing"))]
    }
    call.nextIndex = reply.index + 1
    call.from = reply.from
    pending[reply.id] = reply.isLast ? nil : call
    var events: [Event] = []
    if let body = reply.body { events.append(.item(id: reply.id, body: body, from: reply.from)) }
    if let status = reply.status { events.append(.ended(id: reply.id, status)) }
    return events
  }

  /// Whether a gap before this reply matters: a failure ends the call whatever came before.
  private func carriesOn(_ reply: RPCReply) -> Bool {
    reply.status.map { $0.code == .ok } ?? true
  }

  /// Ends the calls whose deadlines have passed.
  package mutating func expire(at now: MonotonicTime) -> [Event] {
    let late = pending.filter { $0.value.deadline <= now }
    return late.sorted { $0.value.deadline < $1.value.deadline }.map { id, call in
      pending[id] = nil
      return .ended(
        id: id,
        RPCStatus(.deadlineExceeded, "no answer from \(call.target) before the deadline"))
    }
  }

  /// Ends a call at the caller's wish.
  ///
  /// - Returns: the message that tells the other side, or nil for a call that is not under way.
  package mutating func cancel(_ id: String) -> RPCMessage? {
    guard let call = pending.removeValue(forKey: id) else { return nil }
    return try? RPCRequest.cancellation(of: call.request.key, to: call.target, root: root)
  }
}
