import Dispatch
import Engine
import Foundations
import Logging
import MQTT
import Plan
import Runtime
import Synchronization
import Tensors
import WireProtocol

/// One client at full rate on a thread of its own: it always has as many frames under way as it may.
final class ChaosClient: Sendable {
  /// What a client has seen so far.
  struct Tally: Sendable {
    var ledger = FrameLedger()
    var degraded = 0
    /// Answers for which some devices lacked a part that others had.
    var disagreements = 0
    /// Frames that were sent more than once because nobody answered at all.
    var repeated = 0
    var fills: [String: Int] = [:]
    var latency = Quantiles()
    var latencyWithoutSomebody = Quantiles()
    /// The longest time between two answers since `ChaosRun` asked last.
    var longestGap = Duration.zero
    var longestGapEver = Duration.zero
    var lastAnswer: MonotonicTime?
    /// Waits for devices known to be down.
    var waitsInVain: [String] = []
    var waitsInVainCount = 0
    /// When frames have to be submitted to count for `wholeAt`.
    var wholeSince: MonotonicTime?
    /// When the first frame submitted since then was answered by all devices with nothing missing.
    var wholeAt: MonotonicTime?
    var down = DownWatch()
    /// Devices that frames wait for now.
    var alive = 0
    var failure: String?
  }

  let tally = Mutex(Tally())
  /// The client's id.
  let id: String
  private let name: String
  private let isFinishing = Mutex(false)
  private let finished = DispatchGroup()
  private let stop: @Sendable () -> Void

  /// Connects, and begins at once.
  init(
    name: String, engines: DeviceEngines, planID: String, configuration: ClientConfiguration,
    inFlight: Int, inputs: [Tensor], verifier: AnswerVerifier, logger: Logger
  ) throws(MartletError) {
    self.name = name
    let client = try InferenceClient(
      engines: engines, planID: planID, configuration: configuration, logger: logger)
    id = client.id
    stop = client.stopper
    try client.connect()
    let flight = Flight(client: client, inputs: inputs, inFlight: inFlight, verifier: verifier)
    DispatchQueue(label: "martlet.chaos.\(name)").async(group: finished) { [self] in
      defer { flight.client.close() }
      fly(flight)
    }
  }

  /// Submits nothing more and waits for the answers that are missing.
  func finish() {
    isFinishing.withLock { $0 = true }
    finished.wait()
  }

  /// Ends at once; may be called any number of times.
  func close() {
    stop()
    finish()
  }

  /// What the client's thread works with.
  ///
  /// `@unchecked Sendable`: made by the initialiser, then used by one thread only.
  private final class Flight: @unchecked Sendable {
    let client: InferenceClient
    let inputs: [Tensor]
    let inFlight: Int
    let verifier: AnswerVerifier
    /// Input and time of submission of each open frame, by ticket.
    var open: [Int: (input: Int, time: MonotonicTime)] = [:]
    var next = 0

    init(
      client: InferenceClient, inputs: [Tensor], inFlight: Int, verifier: AnswerVerifier
    ) {
      self.client = client
      self.inputs = inputs
      self.inFlight = inFlight
      self.verifier = verifier
    }
  }

  private func fly(_ flight: Flight) {
    do throws(MartletError) {
      while true {
        let isFinishing = isFinishing.withLock { $0 }
        if isFinishing && flight.client.framesInFlight == 0 { return }
        while !isFinishing, flight.client.framesInFlight < flight.inFlight {
          guard try submit(flight) else { break }
        }
        if flight.client.framesInFlight > 0 { try receive(flight) }
      }
    } catch {
      if error.code == .cancelled { return }
      tally.withLock { $0.failure = "\(name): \(error)" }
    }
  }

  /// Returns whether the frame was accepted.
  private func submit(_ flight: Flight) throws(MartletError) -> Bool {
    let input = flight.next % flight.inputs.count
    flight.next += 1
    let time = MonotonicTime.now()
    do throws(MartletError) {
      let ticket = try flight.client.submit(flight.inputs[input])
      flight.open[ticket] = (input, time)
      tally.withLock { $0.ledger.submit(ticket) }
      return true
    } catch {
      guard error.code == .unreachable || error.code == .resourceExhausted else { throw error }
      tally.withLock { $0.ledger.refuse(status: error.code.rawValue) }
      return false
    }
  }

  private func receive(_ flight: Flight) throws(MartletError) {
    let answer = try flight.client.next()
    let now = MonotonicTime.now()
    let alive = flight.client.devices.count(where: \.isAlive)
    guard let frame = flight.open.removeValue(forKey: answer.ticket) else {
      tally.withLock { $0.ledger.answer(answer.ticket) }
      return
    }
    flight.verifier.post(
      .init(
        input: frame.input, attendance: answer.attendance, report: answer.report,
        outputs: answer.outputs, name: "\(name) frame \(answer.frame)"))
    tally.withLock { $0.add(answer, submitted: frame.time, now: now, alive: alive, client: name) }
  }
}

extension ChaosClient.Tally {
  mutating func add(
    _ answer: Answer, submitted: MonotonicTime, now: MonotonicTime, alive: Int, client: String
  ) {
    ledger.answer(answer.ticket)
    self.alive = alive
    if alive == 0 { down.hearsNobody(at: now) }
    if let lastAnswer {
      longestGap = max(longestGap, .nanoseconds(Int64(now.nanoseconds(since: lastAnswer))))
    }
    lastAnswer = now
    let milliseconds =
      Double(answer.latency.components.attoseconds) / 1e15
      + Double(answer.latency.components.seconds) * 1e3
    if answer.attempts > 1 { repeated += 1 }
    let isWhole = !answer.isDegraded && answer.awaited.allSatisfy { $0 }
    if isWhole { latency.add(milliseconds) } else { latencyWithoutSomebody.add(milliseconds) }
    if isWhole, wholeAt == nil, let wholeSince, submitted >= wholeSince { wholeAt = now }
    if answer.isDegraded { degraded += 1 }
    if answer.hasDisagreement { disagreements += 1 }
    for fill in answer.report.fills {
      fills[fill.reason.rawValue, default: 0] += 1
      if fill.reason == .deadline, answer.attempts == 1,
        down.wasKnown(fill.device, submitted: submitted)
      {
        waitsInVainCount += 1
        if waitsInVain.count < 5 {
          waitsInVain.append(
            "\(client) frame \(answer.frame): \(fill), attendance \(answer.awaited)")
        }
      }
    }
  }
}

extension Answer {
  /// Whether one device lacked a part that another one had.
  fileprivate var hasDisagreement: Bool {
    report.byPart.contains { part, fills in
      let lacking = Set(fills.map(\.receiver)).filter { $0 < awaited.count }
      return !lacking.isEmpty
        && awaited.indices.contains { awaited[$0] && $0 != part.device && !lacking.contains($0) }
    }
  }
}
