import Engine
import Foundations
import Kernels
import MQTT
import ModelGraph
import Plan
import Telemetry
import Tensors
import WireProtocol

/// A worker's word of itself: what it is, and how it fares (once a second).
final class WorkerMeter {
  /// When the next metrics are due.
  private(set) var due = MonotonicTime.zero
  private static let intervalNanoseconds: UInt64 = 1_000_000_000
  private static let hour: UInt32 = 3600

  private let engines: DeviceEngines
  private let engine: DeviceEngine
  private let epoch: UInt64
  private let topics: [MetricKind: String]
  private let planID: String
  private let energy: EnergySampler
  private let processor = ProcessorSensors()
  private let publishesMetrics: Bool
  private let profile: DeviceProfile?
  private var sequence: UInt64 = 0
  private var last: Snapshot?

  /// What the next metrics count from.
  private struct Snapshot {
    var time: MonotonicTime
    var energy: EnergySampler.Reading
    var cpuSeconds: Double
    var frames: UInt64
    var framesDropped: UInt64
    var fills: [String: UInt64]
    var drops: [String: UInt64]
  }

  init(
    engines: DeviceEngines, planID: String, name: String, epoch: UInt64, root: TopicRoot,
    configuration: WorkerConfiguration
  ) throws(MartletError) {
    self.engines = engines
    engine = try engines.engine(for: engines.plan.usualAttendance(of: engines.device))
    self.planID = planID
    self.epoch = epoch
    var topics: [MetricKind: String] = [:]
    for kind in MetricKind.allCases {
      topics[kind] = try root.path(.metric(device: name, kind: kind.rawValue))
    }
    self.topics = topics
    publishesMetrics = configuration.publishesMetrics
    profile = configuration.profile
    energy = EnergySampler(try configuration.energyMeter())
  }

  /// What this device is.
  func description(methods: [String]) -> DeviceDescription {
    var description = DeviceDescription(
      version: Worker.version, methods: methods, plan: planID,
      parts: engine.program.publications.map { publication in
        let exchange = engine.plan.exchanges[publication.exchange]
        return .init(
          layer: exchange.id, neurons: engine.program.graph[publication.value].shape[exchange.axis])
      },
      hardware: .ofThisMachine)
    description.model = engines.plan.model.name
    description.method = engines.plan.method
    description.methodName = engines.plan.methodName
    description.inputs = (PackedElements.supported + [.uint8]).map(\.rawValue)
    description.profile = profile.map { PublishedProfile($0) }
    return description
  }

  /// Publishes one message of each kind, about the time since the last call; the first call only
  /// begins that time. Failures are silent, the gap in the numbers tells them.
  ///
  /// - Parameters:
  ///   - sent: bytes published since the last call, by exchange.
  ///   - waitingBytes: bytes of messages that wait to be worked on.
  func publish(
    core: WorkerCore, sent: [Int: UInt64], waitingBytes: Int, _ client: MQTTClient,
    now: MonotonicTime
  ) {
    guard publishesMetrics else {
      due = .distantFuture
      return
    }
    due = now.adding(nanoseconds: WorkerMeter.intervalNanoseconds)
    let next = Snapshot(
      time: now, energy: energy.read(), cpuSeconds: ProcessTime.cpuSeconds(),
      frames: core.counters.framesFinished, framesDropped: core.counters.framesDropped,
      fills: core.counters.fills,
      drops: Dictionary(
        uniqueKeysWithValues: core.drops.totals.map { ($0.key.rawValue, $0.value) }))
    defer { last = next }
    guard let last else { return }
    sequence += 1
    let interval = Double(now.nanoseconds(since: last.time)) / 1e6
    var work = FrameMetric(epoch: epoch, sequence: sequence, intervalMilliseconds: interval)
    work.frames = next.frames - last.frames
    work.framesDropped = next.framesDropped - last.framesDropped
    work.fills = growth(from: last.fills, to: next.fills)
    work.drops = growth(from: last.drops, to: next.drops)
    core.work.take(sent: sent, into: &work)
    send(work, client)
    let joules = max(0, next.energy.joules - last.energy.joules)
    send(
      EnergyMetric(
        epoch: epoch, sequence: sequence, intervalMilliseconds: interval,
        source: next.energy.source.rawValue, joules: joules,
        watts: interval > 0 ? joules / interval * 1e3 : 0, frames: work.frames,
        failedReadings: UInt64(next.energy.failedReadings - last.energy.failedReadings)), client)
    if let memory = try? ProcessMemory.read() {
      send(
        MemoryMetric(
          epoch: epoch, sequence: sequence, intervalMilliseconds: interval,
          residentBytes: memory.residentBytes, peakResidentBytes: memory.peakBytes,
          weightBytes: engines.weightBytes, arenaBytes: engine.compiled.arenaBytes,
          queueBytes: waitingBytes + core.queuedBytes + client.statistics.queuedBytes), client)
    }
    send(
      SystemMetric(
        epoch: epoch, sequence: sequence, intervalMilliseconds: interval,
        cpuMilliseconds: max(0, next.cpuSeconds - last.cpuSeconds) * 1e3,
        temperatureCelsius: processor.temperatureCelsius,
        clockMegahertz: processor.clockMegahertz), client)
  }

  /// What has been added to counts that only grow.
  private func growth(
    from old: [String: UInt64], to new: [String: UInt64]
  ) -> [String: UInt64] {
    new.merging(old) { $0 - $1 }.filter { $0.value > 0 }
  }

  private func send<Metric: MetricMessage>(_ message: Metric, _ client: MQTTClient) {
    guard let topic = topics[Metric.kind], let payload = try? message.payload() else { return }
    try? client.publish(
      MQTTMessage(
        topic: topic, payload: payload, quality: .atLeastOnce,
        properties: MQTTProperties(
          expirySeconds: WorkerMeter.hour, contentType: "application/json")))
  }
}

/// Resident memory of this process; 0 where it cannot be read.
func residentBytes() -> UInt64 {
  UInt64(clamping: (try? ProcessMemory.read())?.residentBytes ?? 0)
}
