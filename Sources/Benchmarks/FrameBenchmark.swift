import Engine
import Foundations
package import LocalFleet
import Logging
package import Plan
import Processes
import Runtime
package import Tensors

/// Times frames through a broker, worker processes and a client on this machine.
package struct FrameBenchmark: Sendable {
  /// The plan that the workers run.
  package var plan: PlanFolder
  /// Every frame's input.
  package var input: Tensor
  /// Frames under way at once.
  package var inFlight: Int
  /// How long to measure, after the first frames.
  package var length: Duration
  /// Further options of `martlet worker`.
  package var workerOptions: [String]
  /// A broker that is there already; nil for one that is started for the measurement.
  package var site: Fleet.Site?

  /// A measurement of one plan.
  package init(
    plan: PlanFolder, input: Tensor, inFlight: Int, length: Duration, workerOptions: [String] = [],
    site: Fleet.Site? = nil
  ) {
    self.plan = plan
    self.input = input
    self.inFlight = inFlight
    self.length = length
    self.workerOptions = workerOptions
    self.site = site
  }

  /// What was measured.
  package struct Result: Sendable, Encodable {
    /// Answers measured.
    package var frames: Int
    /// Answers with something missing.
    package var degraded: Int
    /// Answers a second.
    package var framesPerSecond: Double
    /// Median time from submission to answer, in milliseconds.
    package var latency: Double
    /// The 99th percentile of it.
    package var latencyP99: Double
    /// Processor time of all workers together for one frame, in milliseconds.
    package var workerCPU: Double
    /// Processor time of the broker for one frame, in milliseconds; nil for one of somebody else.
    package var brokerCPU: Double?
    /// Processor time of the client for one frame, in milliseconds.
    package var clientCPU: Double

    enum CodingKeys: String, CodingKey {
      case frames, degraded
      case framesPerSecond = "frames_per_s"
      case latency = "latency_ms"
      case latencyP99 = "latency_p99_ms"
      case workerCPU = "worker_cpu_ms"
      case brokerCPU = "broker_cpu_ms"
      case clientCPU = "client_cpu_ms"
    }
  }

  /// Frames before the measurement, for each one under way.
  private static let warmUp = 5

  /// Runs it; everything that was started has ended when it returns.
  ///
  /// - Parameter stopped: throws when the user asked to stop.
  /// - Throws: `timedOut` when the workers do not get ready; what the client throws.
  package func run(stopped: () throws -> Void) throws -> Result {
    var settings = Fleet.Settings()
    settings.workerOptions += workerOptions
    settings.showsErrors = true
    guard let site else {
      return try withFleet(settings, plan: { _ in plan }) { fleet, broker in
        try run(fleet, broker: broker.processID, stopped: stopped)
      }
    }
    return try withFleet(settings, plan: { _ in plan }, at: site) { fleet in
      try run(fleet, broker: nil, stopped: stopped)
    }
  }

  private func run(
    _ fleet: Fleet, broker: Int32?, stopped: () throws -> Void
  ) throws -> Result {
    try fleet.startAll()
    let client = try fleet.client(
      logger: Logger(label: "martlet.bench") { _ in SwiftLogNoOpLogHandler() })
    defer { client.close() }
    try client.connect()
    try fleet.waitUntilReady(client, timeout: .seconds(60))
    for _ in 0..<inFlight { _ = try client.submit(input) }
    for _ in 0..<(Self.warmUp * inFlight) {
      _ = try client.next()
      _ = try client.submit(input)
    }
    return try measure(
      client, workers: fleet.workers.values.map(\.processID), broker: broker, stopped: stopped)
  }

  private func measure(
    _ client: InferenceClient, workers: [Int32], broker: Int32?, stopped: () throws -> Void
  ) throws -> Result {
    func processorSeconds(_ processes: [Int32]) throws -> Double {
      try processes.reduce(0) { try $0 + ProcessReading(of: $1).cpuSeconds }
    }
    let own = try ProcessReading().cpuSeconds
    let before = (
      try processorSeconds(workers), try broker.map { try processorSeconds([$0]) }, own
    )
    var latency = Quantiles()
    var (frames, degraded) = (0, 0)
    let start = ContinuousClock.now
    while ContinuousClock.now - start < length {
      try stopped()
      let answer = try client.next()
      _ = try client.submit(input)
      frames += 1
      if answer.isDegraded { degraded += 1 }
      latency.add(answer.latency / .milliseconds(1))
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    let count = Double(frames)
    return Result(
      frames: frames, degraded: degraded, framesPerSecond: count / seconds,
      latency: latency.p50 ?? 0, latencyP99: latency.p99 ?? 0,
      workerCPU: (try processorSeconds(workers) - before.0) / count * 1e3,
      brokerCPU: try broker.flatMap { broker in
        try before.1.map { (try processorSeconds([broker]) - $0) / count * 1e3 }
      },
      clientCPU: (try ProcessReading().cpuSeconds - before.2) / count * 1e3)
  }
}
