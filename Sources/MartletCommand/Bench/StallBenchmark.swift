import Chaos
import Engine
import Foundations
import LocalFleet
import Plan
import Runtime
import Tables

/// The measurements of `martlet bench stalls`, one number of frames in flight after the other.
struct StallBenchmark {
  private let options: BenchStalls
  private let seed: UInt64
  private let fleet: Fleet
  private let inputs: FleetInputs
  private let stopped: StopFlag
  private let clock = ContinuousClock()

  init(
    _ options: BenchStalls, seed: UInt64, fleet: Fleet, inputs: FleetInputs,
    stopped: StopFlag
  ) {
    self.options = options
    self.seed = seed
    self.fleet = fleet
    self.inputs = inputs
    self.stopped = stopped
  }

  func run() throws -> StallReport {
    let client = try fleet.localClient {
      $0.deadline = options.waiting.deadline.policy
      $0.replicas = options.copies.replicas
    }
    defer {
      client.close()
      fleet.stop()
    }
    let stop = client.stopper
    stopped.listen { stop() }
    try fleet.startAll(["--deadline", options.waiting.deadline.description])
    try client.connect()
    try fleet.waitUntilReady(client)
    var report = StallReport(
      model: fleet.plan.plan.model.name, method: fleet.plan.plan.method,
      devices: fleet.names.count, deadline: options.waiting.deadline.description,
      replicas: options.copies.replicas.rawValue, seed: seed,
      shortest: options.shortest.duration.inMilliseconds,
      longest: options.longest.duration.inMilliseconds)
    for (index, inFlight) in options.numbersInFlight.enumerated() {
      report.rows.append(
        try measure(client, inFlight: inFlight, seed: seed &+ UInt64(index)))
    }
    return report
  }

  private func measure(
    _ client: InferenceClient, inFlight: Int, seed: UInt64
  ) throws -> StallReport.Row {
    Terminal.progress("undisturbed, \(inFlight) in flight")
    var right: [Int: Int] = [:]
    var row = StallReport.Row(inFlight: inFlight)
    var calm = Quantiles()
    try stream(client, inFlight: inFlight, atLeast: .zero) { index, answer in
      guard !answer.isDegraded, !answer.awaited.contains(false) else { return }
      right[index] = label(of: answer)
      calm.add(answer.latency.inMilliseconds)
    }
    Terminal.progress("stalls, \(inFlight) in flight")
    let staller = Staller(
      fleet.names.compactMap { fleet.workers[$0] },
      StallSchedule(
        seed: seed, devices: fleet.names.count,
        lengths: milliseconds(options.shortest)...milliseconds(options.longest),
        pauses: milliseconds(options.pause) / 4...milliseconds(options.pause)))
    defer { staller.stop() }
    var latency = Quantiles()
    var spans: [Range<ContinuousClock.Instant>] = []
    try stream(client, inFlight: inFlight, atLeast: options.atLeast.duration) { index, answer in
      let end = clock.now
      spans.append(end - answer.latency..<end)
      latency.add(answer.latency.inMilliseconds)
      row.answers += 1
      if answer.isDegraded { row.degraded += 1 }
      if answer.awaited.contains(false) { row.withoutSomebody += 1 }
      if let known = right[index], known != label(of: answer) { row.wrong += 1 }
    }
    staller.stop()
    row.stalls = staller.stalls.count
    let unexplained = StallReport.unexplained(spans, stalls: staller.stalls)
    row.calm = .init(calm)
    row.latency = .init(latency)
    row.unexplained = .init(unexplained)
    return row
  }

  /// Streams the frames, over and over for at least some time. Whoever is missing is waited for before.
  private func stream(
    _ client: InferenceClient, inFlight: Int, atLeast duration: Duration,
    _ answered: (Int, Answer) -> Void
  ) throws {
    try fleet.waitUntilReady(client)
    let end = clock.now + duration
    var numbers: [Int: Int] = [:]
    var next = 0
    while next < options.frames || clock.now < end || client.framesInFlight > 0 {
      while next < options.frames || clock.now < end, client.framesInFlight < inFlight {
        try stopped.check()
        let index = next % options.frames
        numbers[try client.submit(inputs[index])] = index
        next += 1
      }
      guard client.framesInFlight > 0 else { break }
      let answer = try client.next()
      if let index = numbers.removeValue(forKey: answer.ticket) { answered(index, answer) }
    }
  }

  private func label(of answer: Answer) -> Int? {
    Prediction(answer, of: fleet.plan.plan).top.first?.label
  }

  private func milliseconds(_ time: TimeArgument) -> Int {
    Int(time.duration.inMilliseconds.rounded())
  }
}
