import Engine
import Foundations
import Glibc
import LocalFleet
import Plan
import Runtime
import Tables

/// The measurements of `martlet bench failures`, one after the other on one fleet.
final class FailureBenchmark {
  private let options: BenchFailures
  private let fleet: Fleet
  private let inputs: FleetInputs
  private let stopped: StopFlag
  private let client: InferenceClient
  private let number: Int
  private let clock = ContinuousClock()

  init(
    _ options: BenchFailures, fleet: Fleet, inputs: FleetInputs, stopped: StopFlag
  ) throws(MartletError) {
    self.options = options
    fleet.workerOptions += ["--deadline", options.waiting.deadline.description]
    self.fleet = fleet
    self.inputs = inputs
    self.stopped = stopped
    client = try fleet.localClient {
      $0.deadline = options.waiting.deadline.policy
      $0.replicas = options.copies.replicas
    }
    number = fleet.names.count / 2
  }

  func close() {
    client.close()
    fleet.stop()
  }

  func run() throws -> FailureReport {
    let stop = client.stopper
    stopped.listen { stop() }
    try fleet.startAll()
    try client.connect()
    try fleet.waitUntilReady(client)
    try warmUp()
    let rates = try [1, 2, 4].map { inFlight in
      FailureReport.Rate(inFlight: inFlight, framesPerSecond: try rate(inFlight))
    }
    let alive = try latency("all alive")
    var deaths: [Double] = []
    var returns: [(firstUse: Double, firstAnswer: Double)] = []
    var lost = Quantiles()
    for round in 1...options.rounds {
      deaths.append(try death(round))
      let share = max(options.frames / options.rounds, 1)
      for _ in 0..<share { lost.add(try frame().latency.inMilliseconds) }
      returns.append(try rejoin(round))
    }
    let freezes = try (1...options.rounds).map { try freeze($0) }
    return FailureReport(
      model: fleet.plan.plan.model.name, method: fleet.plan.plan.method,
      devices: fleet.names.count, deadline: options.waiting.deadline.description,
      replicas: options.copies.replicas.rawValue, frames: options.frames,
      rounds: options.rounds, rates: rates, alive: alive, lost: .init(lost), deaths: deaths,
      freezes: freezes, rejoinFirstUse: returns.map(\.firstUse),
      rejoinFirstAnswer: returns.map(\.firstAnswer), stalls: try [1, 4].map { try stall($0) })
  }

  /// One frame in lockstep.
  @discardableResult
  private func frame() throws -> Answer {
    try stopped.check()
    _ = try client.submit(inputs[0])
    return try client.next()
  }

  private func warmUp() throws {
    Terminal.progress("warming up")
    for _ in 0..<max(options.frames / 10, 20) { try frame() }
  }

  /// Frames until all devices are counted on and nothing is missing.
  private func settle() throws {
    let end = clock.now + .seconds(30)
    var complete = 0
    while complete < 20 {
      guard clock.now < end else {
        throw MartletError(.timedOut, "the devices did not come back within 30 s")
      }
      let answer = try frame()
      complete = answer.isDegraded || answer.awaited.contains(false) ? 0 : complete + 1
    }
  }

  private func rate(_ inFlight: Int) throws -> Double {
    Terminal.progress("frame rate with \(inFlight) in flight")
    var stream = FrameStream(count: options.frames, inFlight: inFlight)
    try stream.run(client: client) { index in
      try stopped.check()
      return inputs[index]
    } origin: {
      FrameOrigin(truth: inputs.label($0))
    } answered: { _, _ in
    }
    return Double(options.frames) / stream.seconds
  }

  private func latency(_ what: String) throws -> LatencyFigures {
    Terminal.progress("latency, \(what)")
    var latency = Quantiles()
    for _ in 0..<options.frames { latency.add(try frame().latency.inMilliseconds) }
    return .init(latency)
  }

  /// Kills the victim while a frame is under way.
  ///
  /// - Returns: the latency of the slowest frame until the loss is known.
  private func death(_ round: Int) throws -> Double {
    Terminal.progress("death \(round) of \(options.rounds)")
    try settle()
    let slowest = try slowestFrame { fleet.signal(fleet.victim, SIGKILL) }
    fleet.kill(fleet.victim)
    return slowest
  }

  private func slowestFrame(_ harm: () -> Void) throws -> Double {
    _ = try client.submit(inputs[0])
    harm()
    var answer = try client.next()
    var slowest = answer.latency.inMilliseconds
    while answer.awaited[number] {
      answer = try frame()
      slowest = max(slowest, answer.latency.inMilliseconds)
    }
    return slowest
  }

  /// Starts the victim again and streams until it is used.
  ///
  /// - Returns: milliseconds from its word that it is ready to the sending of the first frame that
  ///   counts on it, and to that frame's answer, if complete.
  private func rejoin(_ round: Int) throws -> (firstUse: Double, firstAnswer: Double) {
    Terminal.progress("return \(round) of \(options.rounds)")
    let victim = fleet.victim
    var ready: ContinuousClock.Instant?
    client.onChange = { [clock] change in
      // The first sign of a new run; `ready` counts once it has beaten as well.
      if change.device == victim, ready == nil { ready = clock.now }
    }
    defer { client.onChange = nil }
    try fleet.start(victim)
    let end = clock.now + .seconds(30)
    while clock.now < end {
      let sent = clock.now
      let answer = try frame()
      guard let ready, answer.awaited[number], !answer.isDegraded else { continue }
      return ((sent - ready).inMilliseconds, (clock.now - ready).inMilliseconds)
    }
    throw MartletError(.timedOut, "the worker did not come back within 30 s")
  }

  /// Freezes the victim while a frame is under way, until the others know.
  ///
  /// - Returns: the latency of the slowest frame.
  private func freeze(_ round: Int) throws -> Double {
    Terminal.progress("freeze \(round) of \(options.rounds)")
    try settle()
    let slowest = try slowestFrame { fleet.signal(fleet.victim, SIGSTOP) }
    fleet.signal(fleet.victim, SIGCONT)
    return slowest
  }

  /// Freezes the victim for long, at full rate.
  private func stall(_ inFlight: Int) throws -> FailureReport.Stall {
    Terminal.progress("frozen at full rate, \(inFlight) in flight")
    try settle()
    var report = FailureReport.Stall(inFlight: inFlight)
    fleet.signal(fleet.victim, SIGSTOP)
    let start = clock.now
    let thaw = start + options.stall.duration
    var isFrozen = true
    var last = start
    while true {
      try stopped.check()
      if isFrozen, clock.now >= thaw {
        fleet.signal(fleet.victim, SIGCONT)
        isFrozen = false
      }
      while client.framesInFlight < inFlight { _ = try client.submit(inputs[report.answers]) }
      let answer = try client.next()
      let now = clock.now
      report.answers += 1
      report.longestGap = max(report.longestGap, (now - last).inMilliseconds)
      last = now
      if answer.isDegraded { report.degraded += 1 }
      if !isFrozen, !answer.isDegraded, !answer.awaited.contains(false) {
        report.returned = (now - thaw).inMilliseconds
        break
      }
      guard now < thaw + .seconds(20) else {
        throw MartletError(.timedOut, "the frozen worker did not come back within 20 s")
      }
    }
    while client.framesInFlight > 0 { _ = try client.next() }
    return report
  }
}
