import Engine
package import Foundations
import Glibc
import LocalFleet
import Logging
import MQTT
package import Plan
import Processes
import Runtime
import Synchronization
package import Tensors

/// What to run and what to break.
package struct ChaosConfiguration: Sendable {
  /// The seed of everything random.
  package var seed: UInt64
  /// How long faults are applied.
  package var length: Duration
  /// The plan that the workers run.
  package var plan: PlanFolder
  /// Inputs of frames, taken in turn.
  package var inputs: [Tensor]
  /// What may go wrong.
  package var kinds = Fault.Kind.allCases
  /// Clients at full rate.
  package var clients = 2
  /// Frames that each keeps under way.
  package var inFlight = 4
  /// Further options of `martlet worker`.
  package var workerOptions: [String] = []
  /// The most resident memory of a worker.
  package var residentLimit = 512 << 20

  /// The defaults for one plan.
  package init(seed: UInt64, length: Duration, plan: PlanFolder, inputs: [Tensor]) {
    self.seed = seed
    self.length = length
    self.plan = plan
    self.inputs = inputs
  }
}

/// A broker, workers and clients on this machine, a schedule of faults, and checks.
package final class ChaosRun {
  private let configuration: ChaosConfiguration
  private let schedule: ChaosSchedule
  private let broker: EmbeddedBroker
  private let fleet: WatchedFleet
  private let verifier: AnswerVerifier
  private var clients: [ChaosClient] = []
  private var breaker: Breaker
  private var resources: ResourceLedger
  private var returns: [Double] = []
  private var gaps: [String: Double] = [:]
  private var failures: [String] = []
  /// Faults that could not be applied because the broker was away.
  private var undone = 0
  private var began = MonotonicTime.zero
  private var lastShown = MonotonicTime.zero
  private let say: (String) -> Void
  private let stopped: () throws(MartletError) -> Void
  private let logger: Logger

  /// Runs the whole schedule. Everything that was started has ended when it returns.
  ///
  /// - Parameters:
  ///   - stopped: throws when the user asked to stop.
  ///   - say: gets a line of progress every few seconds and at every fault.
  /// - Throws: what starting a broker throws; when the workers do not get ready at all, or the user
  ///   stops.
  package static func run(
    _ configuration: ChaosConfiguration, stopped: @escaping StopCheck,
    say: @escaping (String) -> Void
  ) throws -> ChaosReport {
    var settings = Fleet.Settings()
    settings.patience = .zero
    // What it remembers is written every second; `Breaker` deletes it where it is to be forgotten.
    settings.brokerConfiguration = """
      persistence true
      persistence_location {FOLDER}/
      autosave_interval 1
      """
    return try withFleet(settings, plan: { _ in configuration.plan }) { fleet, broker in
      fleet.workerOptions += ["--allow-faults", "--state", fleet.folder + "/state"]
      fleet.workerOptions += configuration.workerOptions
      return try ChaosRun(configuration, fleet, broker, stopped: stopped, say: say).run()
    }
  }

  private init(
    _ configuration: ChaosConfiguration, _ fleet: Fleet, _ broker: EmbeddedBroker,
    stopped: @escaping StopCheck, say: @escaping (String) -> Void
  ) throws(MartletError) {
    self.configuration = configuration
    self.broker = broker
    self.say = say
    self.stopped = stopped
    let plan = configuration.plan
    schedule = ChaosSchedule(
      seed: configuration.seed, length: configuration.length, devices: plan.plan.devices.count,
      kinds: configuration.kinds)
    self.fleet = try WatchedFleet(fleet, broker: broker.port)
    verifier = try AnswerVerifier(plan: plan, inputs: configuration.inputs)
    var logger = Logger(label: "martlet.chaos") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = .critical
    self.logger = logger
    resources = ResourceLedger(residentLimit: configuration.residentLimit)
    breaker = try Breaker(
      fleet: self.fleet, broker: broker, plan: plan, folder: fleet.folder,
      seed: configuration.seed, logger: logger)
  }

  private func run() throws -> ChaosReport {
    defer {
      for client in clients { client.close() }
      breaker.close()
      fleet.close()
    }
    say(
      "seed \(configuration.seed): \(schedule.waves.count) waves of faults on "
        + "\(fleet.names.count) workers, \(fleet.names[schedule.steadyDevice]) lives throughout")
    for device in fleet.names.indices { try fleet.start(device) }
    try connect()
    began = .now()
    for step in schedule.steps {
      try wait(until: began + step.time)
      switch step.action {
      case .begin(let fault): try begin(fault)
      case .end(let fault): try end(fault)
      case .settled: try settle(step)
      }
    }
    try wait(until: began + configuration.length)
    return try land()
  }

  // MARK: Parts of a run

  private func connect() throws {
    let address = try BrokerAddress(parsing: broker.socketAddress)
    let engines = try DeviceEngines(folder: configuration.plan, device: nil)
    for number in 0..<configuration.clients {
      var client = ClientConfiguration(
        address: DeploymentAddress(
          broker: MQTTConfiguration(address: address, clientIDPrefix: "chaos")))
      client.patience = .seconds(60)
      // Shorter than the time in which all must be back: what a crash of the broker took along is
      // sent again within it.
      client.frameLimit = .seconds(2)
      clients.append(
        try ChaosClient(
          name: "client \(number)", engines: engines, planID: configuration.plan.id,
          configuration: client, inFlight: configuration.inFlight, inputs: configuration.inputs,
          verifier: verifier, logger: logger))
    }
    breaker.clients = clients.map(\.id)
    expectReturn(from: .now())
    let end = MonotonicTime.now() + .seconds(30)
    while !areAllBack {
      guard MonotonicTime.now() < end else {
        throw MartletError(.timedOut, "the workers did not get ready")
      }
      try pause()
    }
  }

  private func begin(_ fault: Fault) throws {
    say("  \(time): \(describe(fault)), for \(fault.end - fault.start)")
    for client in clients { client.tally.withLock { $0.wholeSince = nil } }
    guard try breaker.begin(fault) else {
      undone += 1
      return
    }
    for client in clients {
      client.tally.withLock { tally in
        if let device = fault.device, fault.kind.facts.takesDeviceDown {
          tally.down.goesDown(device, at: .now())
        }
        if fault.kind.facts.takesBrokerDown { tally.down.hearsNobody(at: .now()) }
      }
    }
  }

  private func end(_ fault: Fault) throws {
    try breaker.end(fault)
    for client in clients {
      client.tally.withLock { tally in
        if let device = fault.device, fault.kind.facts.takesDeviceDown {
          tally.down.comesBack(device)
        }
        if fault.kind.facts.takesBrokerDown { tally.down.hearsNobody(at: .now()) }
      }
    }
    expectReturn(from: .now())
  }

  /// From now on an answer by all devices is waited for.
  private func expectReturn(from moment: MonotonicTime) {
    for client in clients {
      client.tally.withLock { tally in
        tally.wholeSince = moment
        tally.wholeAt = nil
      }
    }
  }

  private var areAllBack: Bool {
    clients.allSatisfy { $0.tally.withLock { $0.wholeAt != nil } }
  }

  private func settle(_ step: ChaosSchedule.Step) throws {
    let since = clients[0].tally.withLock { $0.wholeSince } ?? .now()
    let limit = since + ChaosSchedule.returnLimit
    while !areAllBack, MonotonicTime.now() < limit { try pause() }
    let times = clients.map { $0.tally.withLock { $0.wholeAt } }
    let wave = schedule.waves.first { wave in step.time == wave.end + ChaosSchedule.returnLimit }
    let kinds = Set((wave?.faults ?? []).map(\.kind))
    if times.contains(nil) {
      let names = kinds.map(\.rawValue).sorted().joined(separator: ", ")
      failures.append("not all devices were back 5 s after \(names), at \(time)")
    } else {
      let latest = times.compactMap { $0 }.max() ?? since
      returns.append(Double(latest.nanoseconds(since: since)) / 1e6)
    }
    let gap = takeLongestGap()
    if kinds.count == 1, let kind = kinds.first?.rawValue { gaps[kind] = max(gaps[kind] ?? 0, gap) }
    breaker.settle()
    try sample()
  }

  /// The longest gap between two answers since the last call, in milliseconds.
  private func takeLongestGap() -> Double {
    clients.map { client in
      client.tally.withLock { tally in
        defer {
          tally.longestGapEver = max(tally.longestGapEver, tally.longestGap)
          tally.longestGap = .zero
        }
        return milliseconds(tally.longestGap)
      }
    }.max() ?? 0
  }

  private func sample() throws {
    for (device, name) in fleet.names.enumerated() {
      guard let process = fleet.process(device), let reading = try? ProcessReading(of: process),
        let descriptors = try lastingDescriptors(of: process)
      else { continue }
      resources.add(
        .init(residentBytes: reading.residentBytes, descriptors: descriptors), process: process,
        name: "\(name), process \(process)")
    }
  }

  /// How many files a process has open. One that is open just now, for the moment of reading the memory
  /// or the energy, is no leak; one that is still there after looking again and again is.
  private func lastingDescriptors(of process: Int32) throws -> Int? {
    let known = resources.descriptors(of: process)
    var least = Int.max
    for _ in 0..<(known == nil ? 3 : 20) {
      guard let count = ProcessReading.descriptors(of: process) else { return nil }
      if count == known { return count }
      least = min(least, count)
      try pause()
    }
    return least
  }

  private func land() throws -> ChaosReport {
    for client in clients { client.finish() }
    fleet.stop()
    try stopped()
    _ = takeLongestGap()
    var report = ChaosReport(
      seed: configuration.seed, minutes: milliseconds(configuration.length) / 60_000,
      devices: fleet.names.count, clients: clients.count, inFlight: configuration.inFlight,
      method: configuration.plan.plan.method)
    for fault in schedule.waves.flatMap(\.faults) {
      report.faults[fault.kind.rawValue, default: 0] += 1
    }
    report.waves = schedule.waves.count
    report.add(clients.map { $0.tally.withLock { $0 } })
    report.framesPerSecond =
      Double(report.answers) / (Double(MonotonicTime.now().nanoseconds(since: began)) / 1e9)
    report.add(verifier.finish())
    report.returnLongest = returns.max() ?? 0
    report.returnMedian = returns.isEmpty ? 0 : returns.sorted()[returns.count / 2]
    report.gaps = gaps
    report.workerStarts = fleet.starts
    report.peakResidentBytes = resources.peakResidentBytes
    report.growthBytes = resources.growth
    report.garbageMessages = breaker.garbageMessages
    report.forgedParts = breaker.forgedParts
    report.undone = undone
    report.failures += failures + breaker.failures + fleet.failures + resources.failures
    return report
  }

  // MARK: Time

  private var time: String {
    let seconds = Double(MonotonicTime.now().nanoseconds(since: began)) / 1e9
    return "\(Int(seconds)) s"
  }

  private func wait(until moment: MonotonicTime) throws {
    while MonotonicTime.now() < moment { try pause() }
  }

  /// A moment in which workers are looked after and progress is shown.
  private func pause() throws {
    usleep(20_000)
    try stopped()
    try fleet.check()
    if breaker.isBrokerDown {
      for client in clients { client.tally.withLock { $0.down.hearsNobody(at: .now()) } }
    }
    if let failure = clients.lazy.compactMap({ $0.tally.withLock { $0.failure } }).first {
      throw MartletError(.io, "a client gave up: \(failure)")
    }
    let now = MonotonicTime.now()
    guard began != .zero, now.nanoseconds(since: lastShown) > 5_000_000_000 else { return }
    lastShown = now
    let tallies = clients.map { $0.tally.withLock { $0 } }
    let answers = tallies.reduce(0) { $0 + $1.ledger.answered }
    say(
      "\(time): \(answers) answers, \(tallies.reduce(0) { $0 + $1.degraded }) degraded, "
        + "\(tallies.map(\.alive).min() ?? 0) of \(fleet.names.count) devices, "
        + "\(verifier.findings.compared) compared, \(verifier.findings.different) different")
  }

  private func describe(_ fault: Fault) -> String {
    fault.kind.rawValue + (fault.device.map { " " + fleet.names[$0] } ?? "")
  }
}

/// A duration in milliseconds.
func milliseconds(_ duration: Duration) -> Double {
  Double(duration.components.seconds) * 1e3 + Double(duration.components.attoseconds) / 1e15
}

extension ChaosReport {
  mutating func add(_ tallies: [ChaosClient.Tally]) {
    var ledger = FrameLedger()
    var whole: [Double?] = []
    var other: [Double?] = []
    for tally in tallies {
      ledger.add(tally.ledger)
      degraded += tally.degraded
      disagreements += tally.disagreements
      repeated += tally.repeated
      longestGap = max(longestGap, milliseconds(tally.longestGapEver))
      whole += tally.latency.quantiles([0.5, 0.99])
      other += tally.latencyWithoutSomebody.quantiles([0.5, 0.99])
      if tally.waitsInVainCount > 0 {
        failures.append(
          "\(tally.waitsInVainCount) waits for devices known to be down: "
            + tally.waitsInVain.joined(separator: "; "))
      }
    }
    // Clients are alike: the worse of them counts.
    func worst(_ values: [Double?], _ offset: Int) -> Double {
      stride(from: offset, to: values.count, by: 2).compactMap { values[$0] }.max() ?? 0
    }
    (wholeLatencyP50, wholeLatencyP99) = (worst(whole, 0), worst(whole, 1))
    (otherLatencyP50, otherLatencyP99) = (worst(other, 0), worst(other, 1))
    frames = ledger.submitted
    answers = ledger.answered
    refused = ledger.refused
    failures += ledger.failures
  }

  mutating func add(_ findings: AnswerVerifier.Findings) {
    compared = findings.compared
    computed = findings.computed
    different = findings.different
    if findings.different > 0 {
      failures.append(
        "\(findings.different) answers differ from the same frame computed in one process: "
          + findings.examples.joined(separator: "; "))
    }
    if compared < answers { failures.append("\(answers - compared) answers were not compared") }
  }
}
