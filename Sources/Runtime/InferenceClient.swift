package import Engine
package import Foundations
package import Logging
import MQTT
package import ModelCards
import ModelGraph
import Plan
import Resilience
package import Tensors
import WireProtocol

/// Sends frames to a deployment and gathers the last layer's parts itself, so that there is no
/// coordinator to lose. One thread at a time.
package final class InferenceClient {
  /// What a client sees of a device.
  package struct DeviceState: Sendable, Hashable {
    /// The device's name.
    package var device: String
    /// `unknown`, `alive`, `draining`, `suspect`, `lost` or `fenced`.
    package var state: String
    /// Whether frames wait for it.
    package var isAlive: Bool
  }

  struct Outstanding {
    var input: FrameInput
    var origin: FrameOrigin
    var submitted: MonotonicTime
    var end: MonotonicTime
    var attempts: Int
    /// What had arrived before; see `OwnTraffic`.
    var arrived: [Int]
    /// What had moved before; see `FrameProgress`.
    var firstMark: UInt64
    /// Whether it comes any further.
    var progress: FrameProgress
    /// How often the connection had been lost before.
    var losses: Int
    /// What has come so far, if it is to be bettered.
    var answer: Answer?
  }

  /// Called for each change of a device's state, while the client waits.
  package var onChange: ((DeviceState) -> Void)?
  /// The client's own id, part of its topics.
  package let id: String

  let core: ClientCore
  let configuration: ClientConfiguration
  let root: TopicRoot
  let mailbox: Mailbox<NetworkEvent>
  let client: MQTTClient
  let logger: Logger
  /// Where inputs go: to all devices, or, by device, to one.
  let inputTopics: [String]
  /// Whether each device gets the rows that it reads.
  private let dividesInput: Bool
  /// By attendance; of the last few.
  private var inputRows: [Attendance: [Range<Int>]] = [:]
  private let resultTopic: String
  let stop = StopRequest()
  /// For inputs that are no images.
  var encoder: TensorEncoder
  /// For images that cannot be sent as pixels, and for what `encoder` cannot hold.
  var plainEncoder: TensorEncoder
  var header: TensorHeader
  /// The shape of a frame that is sent as pixels; nil where none can be.
  let pixelShape: Shape?
  var fit: MessageFit
  /// Why the last input could not be sent.
  var sendFailure: MartletError?
  /// How often the connection was lost, and how it was the last time.
  var losses = 0
  /// What frames move.
  lazy var links = LinkReport(
    core.plan, elementBytes: elementBytes, needs: core.needs(elementBytes: elementBytes))
  /// Bytes that waited to be sent when that was last looked at.
  var unsent = 0
  /// What reached this client itself.
  lazy var traffic = OwnTraffic(devices: core.names)
  /// Bytes of an element on the wire, at most, as far as is known here.
  var elementBytes: Int {
    core.plan.wireTypes(configuration.wire.elementType).map(\.size).max() ?? 4
  }
  var lastLoss: MartletError?
  private var nextFrame: UInt64 = 1
  private var nextTicket = 0
  var outstanding: [Int: Outstanding] = [:]
  private var tickets: [FrameKey: Int] = [:]
  var retries = RetryBook()
  /// How many frames it is worth having under way.
  var window: FlightWindow
  var isStopped = false
  var isWoken = false
  /// Devices whose presence was refused for its epoch, and it was said.
  private var refused: Set<String> = []
  /// How many results were published.
  private var results: UInt64 = 0

  /// Prepares a client; nothing is sent before `connect`.
  ///
  /// - Parameters:
  ///   - engines: the compiled programs of the client.
  ///   - planID: the id of the plan that the workers run.
  package init(
    engines: DeviceEngines, planID: String, configuration: ClientConfiguration, logger: Logger
  ) throws(MartletError) {
    let graph = engines.plan.graph
    guard graph.inputs.count == 1 else {
      throw MartletError(
        .unsupported, "only models with one input can run distributed",
        context: ["inputs": "\(graph.inputs.count)"])
    }
    self.configuration = configuration
    self.logger = logger
    id = "client-" + String(UInt64.random(in: 0..<(1 << 40)), radix: 36)
    root = try TopicRoot(deployment: configuration.address.deployment)
    resultTopic = try root.path(.result(client: id))
    core = ClientCore(
      engines: engines, planID: planID, deadline: configuration.deadline,
      frameLimit: min(configuration.frameLimit, configuration.patience).nanoseconds,
      replicas: configuration.replicas, study: configuration.study)
    dividesInput = engines.plan.dividesInput
    let addressees: [String?] = core.dispatches || dividesInput ? core.names : [nil]
    let (root, id) = (self.root, self.id)
    inputTopics = try addressees.map { device throws(MartletError) in
      try root.path(.input(client: id, device: device))
    }
    mailbox = Mailbox(maximumBytes: WaitingMemory.mailbox)
    encoder = try TensorEncoder(
      elementType: configuration.wire.elementType ?? .float32,
      chunkBytes: configuration.wire.chunkBytes)
    plainEncoder = try TensorEncoder(
      elementType: .float32, chunkBytes: configuration.wire.chunkBytes)
    header = try TensorHeader(
      epoch: Epoch.next(saved: nil, unixMilliseconds: unixMilliseconds()), plan: planID, client: id,
      device: id, shape: graph[graph.inputs[0]].shape)
    pixelShape = engines.plan.model.preprocessing?.pixelShape(of: header.shape)
    window = FlightWindow(
      frameBytes: header.shape.count * ElementType.float32.size,
      frameLimit: configuration.frameLimit.nanoseconds)
    fit = MessageFit(
      topic: inputTopics.max { $0.utf8.count < $1.utf8.count } ?? "", properties: MQTTProperties())
    let mailbox = self.mailbox
    client = try MQTTClient(
      configuration.address.configuration(clientIDPrefix: "client"), logger: logger,
      onMessage: { NetworkEvent.post($0, root: root, to: mailbox) },
      onEvent: { mailbox.post(.connection($0)) })
    try subscribe(engines.plan)
  }

  /// Whether it has not been said yet that a device's presence is refused.
  func isFirstRefusal(of device: String) -> Bool {
    core.plan.devices.contains { $0.name == device } && refused.insert(device).inserted
  }

  // MARK: Frames

  /// Sends a frame; `next` returns its answer.
  ///
  /// - Parameters:
  ///   - input: the model's input, in its shape.
  ///   - origin: what `result/<client>` repeats, such as the class that is right, for whoever computes
  ///     accuracy.
  ///   - end: when the answer is of no use any more: what has come until then is the answer, and
  ///     without anything there is none.
  /// - Returns: a ticket that the answer repeats.
  /// - Throws: `invalidShape` for an input that is not of the model's shape and of 32-bit floats;
  ///   nothing has been sent then. `unreachable` when nobody is there within the patience.
  package func submit(
    _ input: FrameInput, origin: FrameOrigin = FrameOrigin(),
    until end: MonotonicTime = .distantFuture
  ) throws(MartletError) -> Int {
    guard input.tensor.shape == header.shape, input.tensor.floats != nil else {
      let graph = core.plan.graph
      throw MartletError(
        wrongInput: input.tensor, name: graph[graph.inputs[0]].name, expected: header.shape)
    }
    let ticket = nextTicket
    nextTicket += 1
    outstanding[ticket] = Outstanding(
      input: input, origin: origin, submitted: .now(), end: end, attempts: 0,
      arrived: traffic.arrived, firstMark: core.moved,
      progress: FrameProgress(at: .now(), moved: core.moved), losses: losses)
    do {
      try send(ticket)
    } catch {
      outstanding[ticket] = nil
      throw error
    }
    return ticket
  }

  /// Sends a frame that is no image.
  ///
  /// - Throws: as for any input.
  package func submit(
    _ tensor: Tensor, origin: FrameOrigin = FrameOrigin(), until end: MonotonicTime = .distantFuture
  ) throws(MartletError) -> Int {
    try submit(FrameInput(tensor), origin: origin, until: end)
  }

  /// Whether a frame waits for its answer.
  package func isWaiting(for ticket: Int) -> Bool { outstanding[ticket] != nil }

  /// How many frames are waiting for their answers.
  package var framesInFlight: Int { outstanding.count }

  /// How many frames under way bring the most answers a second, as far as is known: as many as are worth
  /// it and no more.
  package func worthwhileFrames() -> Int {
    window.follow(core.dispatches ? devices.count(where: \.isAlive) : 1)
    return window.size
  }

  /// Whether another frame under way would bring more answers a second, as far as is known.
  package func hasRoom() -> Bool { outstanding.count < worthwhileFrames() }

  /// The next answer, in the order in which frames finish; each frame has one. A frame to which nobody
  /// answers at all is sent again until the patience ends, and so is one whose answer does not satisfy
  /// the policy, if that says so: at the patience's end it gets the last answer that it had.
  ///
  /// - Throws: `unreachable` when no device or no broker answers within the patience: the frame is given
  ///   up then, and others go on. `timedOut` when the last frame has come to its end without an answer;
  ///   `cancelled` when told to stop.
  package func next() throws(MartletError) -> Answer {
    precondition(!outstanding.isEmpty, "next() without a submitted frame")
    while true {
      if let answer = try next(until: .distantFuture) { return answer }
      if outstanding.isEmpty {
        throw MartletError(.timedOut, "no device answered before the frame's end")
      }
    }
  }

  /// The next answer, or nil at `end`, when woken, or when the last frame has ended without one; see
  /// `next()`. May be called without a submitted frame, to keep up with what is heard of the devices.
  package func next(until end: MonotonicTime) throws(MartletError) -> Answer? {
    while true {
      // What has arrived counts, however long the caller was away: parts before deadlines.
      try pump(until: .zero)
      if let answer = try askAgain() { return answer }
      let (outcome, wake) = core.work(clock: MonotonicTime.now)
      guard let outcome else {
        if isWoken || MonotonicTime.now() >= end {
          isWoken = false
          return nil
        }
        let look = retries.nextLook(isEnough: isEnoughThere)
        try pump(until: min(wake, end, look))
        continue
      }
      defer { core.recycle(outcome) }
      guard let ticket = tickets.removeValue(forKey: outcome.key),
        let frame = outstanding[ticket]
      else { continue }
      guard outcome.hasParts else {
        if let answer = try bearSilence(ticket, frame) { return answer }
        if outstanding.isEmpty { return nil }
        continue
      }
      let now = MonotonicTime.now()
      let answer = Answer(
        outcome, ticket: ticket, attempts: frame.attempts,
        latencyNanoseconds: now.nanoseconds(since: frame.submitted),
        study: configuration.study, guessSeed: configuration.guessSeed)
      if configuration.policy.retries, !configuration.policy.isSatisfied(by: answer.reliability),
        retries.hold(ticket, until: retryEnd(frame), now: now)
      {
        outstanding[ticket]?.answer = answer
        continue
      }
      return deliver(answer)
    }
  }

  /// Tells whoever listens, as `result/<client>`. A failure is no loss to the caller, who has the
  /// answer.
  func publishResult(_ answer: Answer, _ origin: FrameOrigin) -> FrameResult {
    var origin = origin
    origin.requestID = origin.requestID ?? "\(id)-\(answer.ticket)"
    var result = FrameResult(answer, of: core.plan, origin: origin)
    results += 1
    result.epoch = header.epoch
    result.sequence = results
    result.plan = header.plan
    if let payload = try? result.payload() {
      try? client.publish(
        MQTTMessage(
          topic: resultTopic, payload: payload, quality: .atLeastOnce,
          properties: MQTTProperties(expirySeconds: 3600, contentType: "application/json")))
    }
    return result
  }

  /// Sends a frame to whoever is there, waiting for somebody to be there, for the connection to take
  /// it, and for devices that are full. A device that stays full is waited for as long as a frame may
  /// take; then it drops its oldest frames.
  func send(_ ticket: Int) throws(MartletError) {
    guard var frame = outstanding[ticket] else { return }
    let holdEnd = MonotonicTime.now().adding(nanoseconds: configuration.frameLimit.nanoseconds)
    while true {
      let now = MonotonicTime.now()
      if let roles = core.departure(isUrgent: now >= holdEnd, now: now) {
        let key = FrameKey(client: id, frame: nextFrame)
        nextFrame += 1
        sendFailure = publish(frame.input, as: key, roles)
        // A lost connection comes back, and a full queue empties.
        if let sendFailure, ![.unreachable, .resourceExhausted].contains(sendFailure.code) {
          throw sendFailure
        }
        if sendFailure == nil {
          frame.attempts += 1
          outstanding[ticket] = frame
          // First, so that a frame that cannot begin is not waited for.
          try core.begin(
            key, input: frame.input.received(as: encoder.elementType), roles: roles,
            until: frame.end, now: now)
          tickets[key] = ticket
          probe(with: frame.input, now: now)
          return
        }
      }
      try checkPatience(frame)
      try pump(until: now.adding(milliseconds: 50))
    }
  }

  /// Sends a suspect a frame whose answer nobody waits for, if it is time to try one.
  private func probe(with input: FrameInput, now: MonotonicTime) {
    guard let device = core.probe(now: now) else { return }
    let key = FrameKey(client: id, frame: nextFrame)
    nextFrame += 1
    // It is tried again later anyway.
    _ = publish(input, as: key, .only(device, of: core.names.count))
  }

  /// - Returns: why it could not be sent; nil if it is.
  private func publish(
    _ input: FrameInput, as key: FrameKey, _ roles: Attendance
  ) -> MartletError? {
    header.frame = key.frame
    header.sequence = key.frame
    let oldest = tickets.keys.lazy.map(\.frame).min() ?? key.frame
    header.note = InputNote(attendance: roles, oldest: oldest).text
    guard dividesInput else {
      let addressee = core.dispatches ? roles.roles.firstIndex(of: .awaited) ?? 0 : 0
      return publish(input, to: roles, topic: inputTopics[addressee])
    }
    for (device, rows) in rows(roles).enumerated() where roles[device] != .absent {
      if let failure = publish(input, to: roles, topic: inputTopics[device], rows: rows) {
        return failure
      }
    }
    return nil
  }

  private func rows(_ roles: Attendance) -> [Range<Int>] {
    if let known = inputRows[roles] { return known }
    if inputRows.count > 16 { inputRows = [:] }
    let rows = core.plan.inputRows(roles) ?? []
    inputRows[roles] = rows
    return rows
  }
}
