package import Foundations
package import JSONCoding

/// A call to execute.
package struct RPCCall: Sendable, Equatable {
  /// Who calls what.
  package var key: RPCCallKey
  /// What is asked.
  package var request: RPCRequest
  /// When the caller stops waiting.
  package var deadline: MonotonicTime
}

/// What a server does with requests and time: which calls are executed, what is answered. Knows
/// neither sockets nor clocks.
///
/// A call is executed at most once within its deadline, however often its request arrives; a
/// duplicate gets the answer again. Whatever is wrong with a request is told to its sender, at its own
/// `reply/<client>/<service>`, or counted where nobody can be told.
package struct RPCServerState: Sendable {
  /// What calls may cost.
  package struct Limits: Sendable {
    /// Bytes of a request.
    package var requestBytes = 64 << 10
    /// Calls that run at once.
    package var runningCalls = 64
    /// Calls begun in a burst, and in a second on average.
    package var burst = 256
    /// See `burst`.
    package var callsPerSecond = 1000
    /// Calls that are remembered until their deadlines.
    package var rememberedCalls = 4096
    /// Bytes of answers that are kept for duplicates.
    package var answerBytes = 1 << 20

    /// Limits for a small device.
    package init() {}
  }

  /// What is to be done.
  package enum Action: Sendable, Equatable {
    /// Execute a call and answer with `send` and `finish`.
    case execute(RPCCall)
    /// Stop working on a call; it is answered already.
    case abandon(RPCCallKey)
    /// Publish a reply.
    case publish(RPCMessage)
    /// Count a message that could not be used.
    case count(RejectReason)
  }

  /// Who answers: a device or a gateway.
  package let name: String
  /// What is answered.
  package let methods: Set<RPCMethod>
  private let root: TopicRoot
  private let limits: Limits
  private var memory: RPCMemory
  private var rate: RateLimit
  /// Refusals cost something, too: beyond this rate bad requests are only counted.
  private var refusals: RateLimit

  /// A server without calls.
  package init(
    name: String, methods: Set<RPCMethod>, root: TopicRoot, limits: Limits = Limits()
  ) {
    self.name = name
    self.methods = methods
    self.root = root
    self.limits = limits
    memory = RPCMemory(maximumCalls: limits.rememberedCalls, maximumBytes: limits.answerBytes)
    rate = RateLimit(burst: limits.burst, perSecond: limits.callsPerSecond)
    refusals = RateLimit(burst: 16 * limits.burst, perSecond: limits.callsPerSecond)
  }

  /// Calls that run now.
  package var runningCalls: Int { memory.running.count }

  /// When the next running call expires.
  package var nextDeadline: MonotonicTime { memory.nextDeadline }

  // MARK: Requests

  /// Takes a request.
  ///
  /// - Parameters:
  ///   - topic: the topic that it came on; anything but a call is counted.
  ///   - arrived: when it came, for requests that had to wait here.
  ///   - cut: why the body behind the envelope was left out, if it was: such a request is refused.
  package mutating func receive(
    _ payload: [UInt8], on topic: Topic, properties: RPCProperties = RPCProperties(),
    arrived: MonotonicTime, cut: RejectReason? = nil, at now: MonotonicTime
  ) -> [Action] {
    guard case .call(let service, let name, _) = topic else { return [.count(.unknownTopic)] }
    let method = RPCMethod(service, name)
    let request: RPCRequest
    do throws(RPCRefusal) {
      request = try RPCRequest(
        decoding: payload, of: method, root: root, properties: properties,
        maximumBytes: limits.requestBytes)
    } catch {
      return [.count(error.reason)] + refuse(error.key, error.status, at: now)
    }
    if let cut {
      let message =
        cut == .tooLarge
        ? "a request has at most \(limits.requestBytes) bytes here"
        : "too much at once; try again later"
      return [.count(cut)]
        + refuse(request.key, RPCStatus(.resourceExhausted, message), at: now)
    }
    if name == RPCMethod.cancel { return cancel(request.key, at: now) }
    if let known = memory[request.key] { return repeated(known, request.key, at: now) }
    guard methods.contains(method) else {
      let message =
        methods.contains { $0.service == service }
        ? "the service \(service) has no method \(name)" : "there is no service \(service) here"
      return refuse(request.key, RPCStatus(.unimplemented, message), at: now)
    }
    let deadline = arrived.adding(milliseconds: request.deadlineMilliseconds)
    guard deadline > now else {
      return refuse(
        request.key, RPCStatus(.deadlineExceeded, "the request waited too long"), at: now)
    }
    guard memory.running.count < limits.runningCalls, rate.take(at: now),
      memory.begin(request.key, deadline: deadline, at: now)
    else {
      return [.count(.noRoom)]
        + refuse(
          request.key, RPCStatus(.resourceExhausted, "too many calls at once; try again later"),
          at: now)
    }
    return [.execute(RPCCall(key: request.key, request: request, deadline: deadline))]
  }

  /// A request that was there before: the answer again, or nothing while there is none.
  private mutating func repeated(
    _ known: RPCMemory.Entry, _ key: RPCCallKey, at now: MonotonicTime
  ) -> [Action] {
    if known.isRunning { return [.count(.duplicate)] }
    guard let answer = known.answer else {
      return [.count(.duplicate)]
        + refuse(
          key, RPCStatus(.aborted, "answered before, and the answer was not kept"), at: now)
    }
    guard refusals.take(at: now) else { return [.count(.duplicate)] }
    return [.count(.duplicate)] + answer.map(Action.publish)
  }

  /// Ends a call at its caller's wish. One that is not known is nobody's business: it has ended, or
  /// runs on another server of the same name.
  private mutating func cancel(_ wish: RPCCallKey, at now: MonotonicTime) -> [Action] {
    guard
      let key = memory.running.first(where: {
        $0.id == wish.id && $0.client == wish.client && $0.method.service == wish.method.service
      })
    else { return [] }
    return finish(key, RPCStatus(.cancelled, "the caller asked to stop"), at: now) + [.abandon(key)]
  }

  private mutating func refuse(
    _ key: RPCCallKey?, _ status: RPCStatus, at now: MonotonicTime
  ) -> [Action] {
    guard let key, refusals.take(at: now) else { return [] }
    let reply = RPCReply(id: key.id, from: name, status: status)
    return message(reply, to: key, nanosecondsLeft: 1_000_000_000).map { [.publish($0)] } ?? []
  }

  // MARK: Answers

  /// Sends one item of a stream. Nothing happens for a call that has ended.
  package mutating func send(
    _ body: JSONValue, of key: RPCCallKey, at now: MonotonicTime
  ) -> [Action] {
    answer(key, status: nil, body: body, at: now)
  }

  /// Ends a call, perhaps with its result. Nothing happens for a call that has ended.
  package mutating func finish(
    _ key: RPCCallKey, _ status: RPCStatus, body: JSONValue? = nil, at now: MonotonicTime
  ) -> [Action] {
    let actions = answer(key, status: status, body: body, at: now)
    memory.end(key)
    return actions
  }

  /// Ends the calls whose deadlines have passed.
  package mutating func expire(at now: MonotonicTime) -> [Action] {
    guard memory.nextDeadline <= now else { return [] }
    return memory.expired(at: now).flatMap { key in
      finish(key, RPCStatus(.deadlineExceeded, "the deadline passed"), at: now) + [.abandon(key)]
    }
  }

  private mutating func answer(
    _ key: RPCCallKey, status: RPCStatus?, body: JSONValue?, at now: MonotonicTime
  ) -> [Action] {
    guard let entry = memory[key], let index = memory.takeIndex(key) else { return [] }
    let left = entry.deadline.nanoseconds(since: now)
    let reply = RPCReply(id: key.id, from: name, index: index, status: status, body: body)
    if let message = message(reply, to: key, nanosecondsLeft: left) {
      memory.keep(message, of: key)
      return [.publish(message)]
    }
    // The body was too long or no JSON; the caller must learn that the call has ended.
    let failure = RPCReply(
      id: key.id, from: name, index: index,
      status: RPCStatus(.internalError, "the answer cannot be sent"))
    memory.end(key)
    return message(failure, to: key, nanosecondsLeft: left).map { [.publish($0)] } ?? []
  }

  private func message(
    _ reply: RPCReply, to key: RPCCallKey, nanosecondsLeft: UInt64
  ) -> RPCMessage? {
    guard let topic = try? root.path(.reply(client: key.client, service: key.method.service)),
      let payload = try? reply.payload()
    else { return nil }
    return RPCMessage(
      topic: topic, payload: payload,
      properties: RPCProperties(
        expirySeconds: expirySeconds(nanoseconds: nanosecondsLeft), contentType: RPCFraming.json,
        correlation: Array(key.id.utf8),
        pairs: reply.status.map { [.init("grpc-status", "\($0.code.rawValue)")] } ?? []))
  }
}
