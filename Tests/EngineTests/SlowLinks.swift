import Engine
import Foundations
import Plan
import Tensors
import TestSupport
import WireProtocol

/// The devices of a simulation behind links of a given rate, and a broker that gives each its messages in
/// order. Tensors travel in pieces of one element; a heartbeat overtakes those of its own device that wait,
/// and nothing else. Time passes in steps.
final class SlowLinks {
  private enum Content {
    case piece(Simulation.Message)
    case beat(Heartbeat, device: Int)
  }

  /// Something on its way over a link.
  private struct Item {
    var content: Content
    var bytes: Int
  }

  private struct Link {
    var prompt: [Item] = []
    var bulk: [Item] = []
    var current: Item?
    /// Bytes that have passed, less than the current item has.
    var passed = 0

    /// What has passed when so many more bytes have.
    mutating func pass(_ bytes: Int) -> [Item] {
      passed += bytes
      var result: [Item] = []
      while true {
        if current == nil {
          current =
            !prompt.isEmpty
            ? prompt.removeFirst() : bulk.isEmpty ? nil : bulk.removeFirst()
        }
        guard let item = current else {
          passed = 0
          return result
        }
        guard passed >= item.bytes else { return result }
        passed -= item.bytes
        current = nil
        result.append(item)
      }
    }
  }

  static let step: UInt64 = 5
  /// The rate of every link, in bytes a second.
  let rate: Int
  let simulation: Simulation
  /// Devices that have died without a word.
  private(set) var dead: Set<Int> = []
  /// Until when nothing passes from a device.
  private var stalls: [Int: MonotonicTime] = [:]
  private var up: [Link]
  /// By receiver, the client last.
  private var down: [Link]
  private var echoes: [EchoBook]
  private var moved: [UInt64]
  private var sequence: UInt64 = 0
  private var nextBeat: [MonotonicTime]
  private let names: [String]

  init(_ simulation: Simulation, rate: Int) {
    self.simulation = simulation
    self.rate = rate
    names = simulation.model.folder.plan.devices.map(\.name)
    up = names.map { _ in Link() }
    down = names.map { _ in Link() } + [Link()]
    echoes = names.map { _ in EchoBook() }
    moved = names.map { _ in 0 }
    nextBeat = names.map { _ in simulation.now }
  }

  /// A device stands still for good, with what it was sending.
  func kill(_ device: Int) {
    dead.insert(device)
    simulation.dead.insert(device)
    up[device] = Link()
  }

  /// Nothing passes from a device for some time, as when a packet is lost and has to be sent anew.
  func stall(_ device: Int, milliseconds: UInt64) {
    stalls[device] = simulation.now.adding(milliseconds: milliseconds)
  }

  /// Whether pieces of a device's parts wait to be sent.
  func isSending(_ device: Int) -> Bool { !up[device].bulk.isEmpty }

  /// Time passes until the client has an answer.
  ///
  /// - Returns: the outcome and how many milliseconds it took; nil after `patience`.
  func answer(
    patience: Int, meanwhile: (Int) -> Void = { _ in }
  ) throws -> (outcome: ClientCore.Outcome, milliseconds: Int)? {
    for elapsed in stride(from: 0, through: patience, by: Int(Self.step)) {
      if let outcome = simulation.answer() {
        simulation.client.recycle(outcome)
        return (outcome, elapsed)
      }
      meanwhile(elapsed)
      try pass()
    }
    return nil
  }

  private func pass() throws {
    for device in names.indices where !dead.contains(device) {
      beatIfDue(device)
      simulation.workers[device].listens(
        late: echoes[device].lag(at: simulation.now),
        lastRead: echoes[device].isBehind(at: simulation.now) && isReceiving(device)
          ? simulation.now : nil)
      try simulation.work(device)
    }
    for message in simulation.network {
      for piece in try pieces(of: message) { up[message.sender].bulk.append(piece) }
    }
    simulation.network = []
    simulation.advance(milliseconds: Self.step)
    let bytes = rate * Int(Self.step) / 1000
    for device in names.indices
    where !dead.contains(device) && simulation.now >= stalls[device] ?? .zero {
      for item in up[device].pass(bytes) { publish(item, from: device) }
    }
    for receiver in down.indices where !dead.contains(receiver) {
      for item in down[receiver].pass(bytes) { deliver(item, to: receiver) }
    }
  }

  private func isReceiving(_ device: Int) -> Bool { down[device].current != nil }

  private func publish(_ item: Item, from device: Int) {
    if case .piece = item.content { moved[device] += UInt64(item.bytes) }
    for receiver in down.indices where !dead.contains(receiver) {
      if case .piece(let message) = item.content {
        guard receiver != device, simulation.subscriptions[receiver].contains(message.exchange)
        else { continue }
      }
      down[receiver].bulk.append(item)
    }
  }

  private func deliver(_ item: Item, to receiver: Int) {
    let client = names.count
    switch item.content {
    case .piece(let message):
      if receiver < client { moved[receiver] += UInt64(item.bytes) }
      simulation.deliver(message) { $0 == (receiver == client ? nil : receiver) }
    case .beat(let beat, let device):
      if receiver == device {
        echoes[device].returned(beat.sequence, at: simulation.now)
        simulation.workers[device].echo(now: simulation.now)
      } else if receiver < client {
        simulation.workers[receiver].heartbeat(beat, of: names[device], now: simulation.now)
      } else {
        simulation.client.heartbeat(beat, of: names[device], now: simulation.now)
      }
    }
  }

  private func beatIfDue(_ device: Int) {
    guard simulation.now >= nextBeat[device] else { return }
    sequence += 1
    let gap: UInt64 = echoes[device].isBehind(at: simulation.now) ? 500 : 100
    nextBeat[device] = simulation.now.adding(milliseconds: gap)
    // What two pieces before it take, as a worker knows from the rate of its connection.
    let before = Duration.milliseconds(2 * 1000 * 700 / rate)
    let lag = max(echoes[device].lag(at: simulation.now), before)
    let beat = Heartbeat(
      epoch: simulation.epochs[device], sequence: sequence, frame: 0, queue: 1, residentBytes: 1,
      nextMilliseconds: Int(gap) + Int(lag.nanoseconds / 1_000_000), movedBytes: moved[device])
    echoes[device].sent(sequence, next: .milliseconds(Int(gap)), at: simulation.now)
    // What a heartbeat is to a link of 300 kbit/s.
    up[device].prompt.append(
      Item(content: .beat(beat, device: device), bytes: max(1, rate / 140)))
  }

  private func pieces(of message: Simulation.Message) throws -> [Item] {
    var encoder = try TensorEncoder(elementType: .float32)
    encoder.pieceBytes = 4
    var items: [Item] = []
    try message.payload.withUnsafeBytes { bytes in
      let tensor = try TensorMessage(decoding: bytes)
      var values = [Float](repeating: 0, count: tensor.count)
      values.withUnsafeMutableBufferPointer { tensor.copyElements(into: $0) }
      values.withUnsafeBufferPointer { values in
        encoder.encode(tensor.header, values) { payload in
          var piece = message
          piece.payload = payload
          items.append(Item(content: .piece(piece), bytes: payload.count))
        }
      }
    }
    return items
  }
}
