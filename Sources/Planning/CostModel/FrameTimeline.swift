import Plan

/// One frame on its way through all devices: whoever has what its next stage needs computes it, and
/// what it sends passes its processor, its link, the broker, and each receiver's link and processor.
///
/// Whatever arrives at one of these first is served first; different ones work at the same time, and a
/// long message streams through them in pieces. TCP would share a link among messages that this serves
/// one after the other; the last of them ends at the same time.
struct FrameTimeline {
  /// What all copies of a message have in common.
  private struct Message {
    var sender: Int
    var receivers: [Int]
    /// Position in `Plan.exchanges`; nil for the frame's input.
    var exchange: Int?
    /// Bytes as the programs see it, and as a link carries it.
    var bytes: Double
    var carried: Double
  }

  /// What a message passes.
  private enum Hop {
    case sending, up, intoBroker, broker
    /// To one receiver.
    case relay(Int)
    case outOfBroker(Int)
    case down(Int)
    case receiving(Int)
    case arrival(Int)
  }

  private enum Event {
    case stage(peer: Int)
    case hop(Hop, Message, Flow)
  }

  private let assumptions: CostAssumptions
  /// By peer: the devices, then the client.
  private let work: [ProgramWork?]
  private let profiles: [DeviceProfile]
  private let links: [LinkSpeed]
  /// For each exchange the peers that gather a device's part, by device.
  private let readers: [Int: [Int: [Int]]]

  private(set) var processors: [Pipe]
  private(set) var up: [Pipe]
  private(set) var down: [Pipe]
  private(set) var broker = Pipe()
  private(set) var brokerIn = Pipe()
  private(set) var brokerOut = Pipe()
  private(set) var peers: [CostPrediction.Peer]
  private(set) var brokerBytes = (received: 0.0, sent: 0.0)

  private var events = EventQueue<Event>()
  /// By peer and gathering: parts that are still to come.
  private var missing: [[Int]]
  /// By peer: how many stages are done, and when the last thing happened that it waits for.
  private var done: [Int]
  private var ready: [Double]
  /// Whether a peer's next stage waits for something.
  private var isWaiting: [Bool]

  private var client: Int { work.count - 1 }

  /// - Parameters:
  ///   - work: by device, then the client's; nil for a device that is not there.
  init(_ work: [ProgramWork?], _ assumptions: CostAssumptions) {
    self.work = work
    self.assumptions = assumptions
    let profiles = assumptions.profiles + [assumptions.client]
    self.profiles = profiles
    links = assumptions.network.devices + [assumptions.network.client]
    let pipes = Array(repeating: Pipe(), count: work.count)
    (processors, up, down) = (pipes, pipes, pipes)
    done = work.map { _ in 0 }
    ready = work.map { _ in 0 }
    isWaiting = work.map { _ in false }
    (missing, readers) = FrameTimeline.expectations(work)
    let overhead = assumptions.constants.stage
    peers = work.enumerated().map { peer, work in
      let profile = profiles[peer]
      return CostPrediction.Peer(
        stages: (work?.stages ?? []).map { stage in
          guard !stage.work.isEmpty else { return 0 }
          return stage.work.reduce(overhead / profile.share) { $0 + profile.seconds($1) }
        }, memoryBytes: work?.memoryBytes ?? 0)
    }
  }

  /// How many parts each peer waits for, by gathering, and who gathers them. Nobody waits for what
  /// nobody sends.
  private static func expectations(
    _ work: [ProgramWork?]
  ) -> (missing: [[Int]], readers: [Int: [Int: [Int]]]) {
    var senders: [Int: Set<Int>] = [:]
    for (peer, work) in work.enumerated() {
      for part in work?.stages.flatMap(\.sends) ?? [] {
        senders[part.exchange, default: []].insert(peer)
      }
    }
    var readers: [Int: [Int: [Int]]] = [:]
    let missing = work.enumerated().map { peer, work in
      (work?.gatherings ?? []).map { gathering in
        let sending = gathering.senders.filter { senders[gathering.exchange]?.contains($0) == true }
        for sender in sending {
          readers[gathering.exchange, default: [:]][sender, default: []].append(peer)
        }
        return sending.count
      }
    }
    return (missing, readers)
  }

  /// Runs the frame.
  ///
  /// - Returns: when the client has its answer, in seconds.
  mutating func run() -> Double {
    begin(client, at: 0)
    let readers = work[..<client].indices.filter { work[$0] != nil }
    let bytes = assumptions.inputElementBytes ?? work[client]?.inputElementBytes ?? 4
    for group in work[client]?.inputRows == nil ? [readers] : readers.map({ [$0] }) {
      send(
        from: client, exchange: nil, elements: work[group.first ?? client]?.inputElements ?? 0,
        elementBytes: bytes, at: 0, to: group)
    }
    while let event = events.next() {
      switch event {
      case .stage(let peer): compute(peer)
      case .hop(let hop, let message, let flow): pass(hop, message, flow)
      }
    }
    return ready[client]
  }

  // MARK: Computing

  /// Begins a peer's next stage if all that it needs is there.
  ///
  /// - Parameter time: when the last of it came.
  private mutating func begin(_ peer: Int, at time: Double) {
    guard let work = work[peer], done[peer] < work.stages.count else { return }
    ready[peer] = max(ready[peer], time)
    let needs = done[peer] == 0 ? 0..<0 : work.stages[done[peer] - 1].gathers
    isWaiting[peer] = needs.contains { missing[peer][$0] > 0 }
    if !isWaiting[peer] { events.add(.stage(peer: peer), at: ready[peer]) }
  }

  private mutating func compute(_ peer: Int) {
    guard let work = work[peer] else { return }
    let stage = done[peer]
    let end = processors[peer].pass(
      Flow(at: ready[peer], pieces: 1), seconds: peers[peer].stages[stage]
    ).last
    ready[peer] = end
    done[peer] += 1
    for part in work.stages[stage].sends {
      send(
        from: peer, exchange: part.exchange, elements: part.elements,
        elementBytes: assumptions.elementBytes ?? part.elementBytes, at: end,
        to: readers[part.exchange]?[peer] ?? [])
    }
    begin(peer, at: end)
  }

  /// A message has come.
  private mutating func take(_ message: Message, at peer: Int, time: Double) {
    guard let exchange = message.exchange else { return begin(peer, at: time) }
    guard let number = work[peer]?.gatherings.firstIndex(where: { $0.exchange == exchange }) else {
      return
    }
    missing[peer][number] -= 1
    // What comes early is there when it is needed.
    if isWaiting[peer] { begin(peer, at: time) }
  }

  // MARK: Messages

  private mutating func send(
    from sender: Int, exchange: Int?, elements: Int, elementBytes: Double, at time: Double,
    to receivers: [Int]
  ) {
    guard !receivers.isEmpty else { return }
    let constants = assumptions.constants
    let content = Double(elements) * elementBytes
    let pieces = max(1, Int((content / Double(max(assumptions.chunkBytes, 1))).rounded(.up)))
    let bytes = content + Double(pieces) * constants.messageBytes
    let message = Message(
      sender: sender, receivers: receivers, exchange: exchange, bytes: bytes,
      carried: bytes * constants.framing)
    peers[sender].bytesSent += message.carried
    brokerBytes.received += message.carried
    events.add(.hop(.sending, message, Flow(at: time, pieces: pieces)), at: time)
  }

  private mutating func pass(_ hop: Hop, _ message: Message, _ flow: Flow) {
    let broker = assumptions.network.broker
    let relay = assumptions.broker.seconds(messages: flow.pieces, bytes: message.bytes)
    let sender = message.sender
    var flow = flow
    let next: [Hop]
    switch hop {
    case .sending:
      flow = processors[sender].pass(flow, seconds: handling(message, flow.pieces, at: sender))
      next = [.up]
    case .up:
      flow = up[sender].pass(flow, seconds: message.carried / links[sender].bytesPerSecond)
        .delayed(by: links[sender].latency)
      next = [.intoBroker]
    case .intoBroker:
      flow = brokerIn.pass(flow, seconds: message.carried / broker.bytesPerSecond)
        .delayed(by: broker.latency)
      next = [.broker]
    case .broker:
      flow = self.broker.pass(flow, seconds: relay)
      next = message.receivers.map { .relay($0) }
    case .relay(let receiver):
      flow = self.broker.pass(flow, seconds: relay)
      brokerBytes.sent += message.carried
      next = [.outOfBroker(receiver)]
    case .outOfBroker(let receiver):
      flow = brokerOut.pass(flow, seconds: message.carried / broker.bytesPerSecond)
        .delayed(by: broker.latency + links[receiver].latency)
      next = [.down(receiver)]
    case .down(let receiver):
      flow = down[receiver].pass(flow, seconds: message.carried / links[receiver].bytesPerSecond)
        .delayed(by: profiles[receiver].messages.delay)
      peers[receiver].bytesReceived += message.carried
      next = [.receiving(receiver)]
    case .receiving(let receiver):
      flow = processors[receiver].pass(flow, seconds: handling(message, flow.pieces, at: receiver))
      events.add(.hop(.arrival(receiver), message, flow), at: flow.last)
      return
    case .arrival(let receiver): return take(message, at: receiver, time: flow.last)
    }
    for hop in next { events.add(.hop(hop, message, flow), at: flow.first) }
  }

  /// Seconds of a peer's processor for a message that it sends or receives.
  private func handling(_ message: Message, _ pieces: Int, at peer: Int) -> Double {
    let constants = assumptions.constants
    let cost = profiles[peer].messages.endpoint
    return
      (cost.seconds(messages: pieces, bytes: 0) * (1 + constants.handling)
      + cost.seconds(messages: 0, bytes: message.bytes) * (1 + constants.packing))
      / profiles[peer].share
  }
}
