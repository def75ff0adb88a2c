import Engine
import Foundations
import Kernels
import Plan
import Tensors
import TestSupport
import WireProtocol

/// Workers and a client joined by a network that the test controls, on a clock that it sets.
final class Simulation {
  /// A part on its way.
  struct Message {
    var topic: Topic
    var payload: [UInt8]
    var sender: Int
    var exchange: Int
    var frame: UInt64
  }

  let model: TinyModel
  var workers: [WorkerCore]
  let client: ClientCore
  var now = MonotonicTime(nanoseconds: 1_000_000_000)
  /// Messages sent and not delivered yet.
  var network: [Message] = []
  /// Devices whose process is gone.
  var dead: Set<Int> = []
  var epochs: [UInt64]
  /// Within how many milliseconds devices promise their next heartbeats.
  var promise: Int?
  /// What devices say that they have moved, by device; nil for those that do not.
  var moved: [Int: UInt64] = [:]
  /// By device, the client last: the exchanges that it subscribes to.
  let subscriptions: [Set<Int>]

  init(
    _ model: TinyModel, limits: (inout WorkerCore.Limits) -> Void = { _ in },
    deadline: DeadlinePolicy = .fixed(.milliseconds(250)), limit: UInt64 = 5_000_000_000,
    replicas: Replicas = .standby
  ) {
    self.model = model
    epochs = model.engines.map { _ in 100 }
    let plan = model.folder.plan
    subscriptions = (plan.devices.indices.map { $0 } + [nil]).map { device in
      Set(plan.possibleGatherings(device: device))
    }
    var chosen = WorkerCore.Limits()
    chosen.deadline = deadline
    limits(&chosen)
    workers = model.engines.indices.map {
      WorkerCore(engines: model.engines[$0], planID: model.folder.id, device: $0, limits: chosen)
    }
    client = ClientCore(
      engines: model.client, planID: model.folder.id, deadline: deadline, frameLimit: limit,
      replicas: replicas)
  }

  private var names: [String] { model.folder.plan.devices.map(\.name) }
  private var clock: () -> MonotonicTime { { [self] in now } }

  func advance(milliseconds: UInt64) { now = now.adding(milliseconds: milliseconds) }

  // MARK: What devices say

  /// Presence and one heartbeat of a device, seen by all.
  func announce(_ device: Int, _ state: Presence.State = .ready) {
    let presence = Presence(
      state: state, epoch: epochs[device], heartbeatMilliseconds: 500, version: "test")
    for index in workers.indices where index != device && !dead.contains(index) {
      workers[index].presence(presence, of: names[device], now: now)
    }
    client.presence(presence, of: names[device], now: now)
    if !presence.state.isGone { beat(device) }
  }

  /// - Parameters:
  ///   - frame: the last that it has finished.
  ///   - sent: how far it has come with frames.
  func beat(_ device: Int, frame: UInt64 = 0, sent: [SentMark] = []) {
    let beat = Heartbeat(
      epoch: epochs[device], sequence: 1, frame: frame, queue: 0, residentBytes: 1,
      nextMilliseconds: promise, movedBytes: moved[device], sent: sent)
    for index in workers.indices where index != device && !dead.contains(index) {
      workers[index].heartbeat(beat, of: names[device], now: now)
    }
    client.heartbeat(beat, of: names[device], now: now)
  }

  func announceAll() { for device in workers.indices { announce(device) } }

  // MARK: Frames

  /// The client sends a frame, which reaches the given devices (default: all that live). Where frames
  /// are dispatched, one of them computes it.
  ///
  /// - Parameter oldest: the oldest frame that it still waits for.
  func send(
    _ frame: UInt64, input: Tensor, to devices: [Int]? = nil, from name: String = "cam",
    oldest: UInt64 = 0
  ) throws {
    let roles = client.departure(isUrgent: true, now: now) ?? client.roles(now: now)
    let payload = try inputMessage(
      frame, input: input, roles: InputNote(attendance: roles, oldest: oldest).text, from: name)
    try client.begin(FrameKey(client: name, frame: frame), input: input, roles: roles, now: now)
    for index in devices ?? Array(workers.indices) where !dead.contains(index) {
      workers[index].input(payload, client: name, now: now)
    }
  }

  func inputMessage(
    _ frame: UInt64, input: Tensor, roles: String, from name: String = "cam",
    plan: String? = nil
  ) throws -> [UInt8] {
    var header = try TensorHeader(
      frame: frame, epoch: 1, sequence: frame, plan: plan ?? model.folder.id, client: name,
      device: name, shape: input.shape)
    header.note = roles
    return try encode(header, input.floats ?? [])
  }

  func encode(_ header: TensorHeader, _ values: [Float]) throws -> [UInt8] {
    var encoder = try TensorEncoder(elementType: .float32)
    var result: [UInt8] = []
    values.withUnsafeBufferPointer { encoder.encode(header, $0) { result = $0 } }
    return result
  }

  /// A part as its device would send it.
  func part(
    exchange: Int, device: Int, frame: UInt64, values: [Float]? = nil, epoch: UInt64? = nil,
    plan: String? = nil, shape: Shape? = nil, note: String = "", client: String = "cam"
  ) throws -> Message {
    let point = model.folder.plan.exchanges[exchange]
    let shape = try shape ?? partShape(exchange, device)
    var header = try TensorHeader(
      frame: frame, stage: point.stage ?? 0, epoch: epoch ?? epochs[device],
      plan: plan ?? model.folder.id, client: client, layer: point.id, device: names[device],
      shape: shape)
    header.note = note
    return Message(
      topic: .activation(layer: point.id, device: names[device]),
      payload: try encode(header, values ?? Array(repeating: 0, count: shape.count)),
      sender: device, exchange: exchange, frame: frame)
  }

  /// The shape of a device's part while all are there.
  func partShape(_ exchange: Int, _ device: Int) throws -> Shape {
    let plan = model.folder.plan
    let point = plan.exchanges[exchange]
    return point.shape.replacing(axis: point.axis, with: plan.parts[point.layer ?? 0][device].count)
  }

  // MARK: Work

  /// Lets one device work until it has nothing to do; what it sends goes to `network`.
  func work(_ device: Int) throws {
    guard !dead.contains(device) else { return }
    var failure: (any Error)?
    while true {
      let idle = workers[device].work(clock: clock) { key, exchange, shape, values, fills in
        do {
          network.append(
            try part(
              exchange: exchange, device: device, frame: key.frame, values: Array(values),
              shape: shape, note: fills.text, client: key.client))
        } catch { failure = error }
      }
      if idle != nil { break }
    }
    if let failure { throw failure }
  }

  /// Gives a message to everybody but its sender who is there; `reaches` says whom it finds (nil:
  /// the client).
  func deliver(_ message: Message, reaches: (Int?) -> Bool = { _ in true }) {
    for index in workers.indices
    where index != message.sender && !dead.contains(index) && reaches(index) {
      // A broker only sends what was subscribed to.
      if subscriptions[index].contains(message.exchange) {
        workers[index].part(message.payload, on: message.topic, now: now)
      }
    }
    if subscriptions[workers.count].contains(message.exchange), reaches(nil) {
      client.part(message.payload, on: message.topic, now: now)
    }
  }

  /// Works and delivers until nothing moves; `keep` says which messages arrive at all.
  func settle(_ keep: (Message) -> Bool = { _ in true }) throws {
    repeat {
      let messages = network
      network = []
      for message in messages where keep(message) { deliver(message) }
      for device in workers.indices { try work(device) }
    } while !network.isEmpty
  }

  /// The same, with messages that reach only some; see `deliver`.
  func settle(reaching: (Message, Int?) -> Bool) throws {
    repeat {
      let messages = network
      network = []
      for message in messages { deliver(message) { reaching(message, $0) } }
      for device in workers.indices { try work(device) }
    } while !network.isEmpty
  }

  /// The next frame that has ended at the client.
  func answer() -> ClientCore.Outcome? {
    _ = client.takeChanges(now: now)
    return client.work(clock: clock).outcome
  }

  func outputs(_ outcome: ClientCore.Outcome) -> [Tensor] {
    outcome.engine.outputs(of: outcome.execution)
  }
}
