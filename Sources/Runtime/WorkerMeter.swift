import Kernels
import Logging
import MQTT
import ModelGraph
import Plan
import Telemetry
import TensorCore
import WireProtocol

/// A worker's word of itself: what it is (once a connection) and how it fares (once a second).
final class WorkerMeter {
  /// When the next metrics are due.
  private(set) var due = MonotonicTime.zero
  private static let intervalNanoseconds: UInt64 = 1_000_000_000
  private static let hour: UInt32 = 3600

  private let engines: DeviceEngines
  private let engine: DeviceEngine
  private let name: String
  private let epoch: UInt64
  private let topics: [String: String]
  private let descriptionTopic: String
  private let planID: String
  private var meter: EnergyMeter
  private var sequence: UInt64 = 0
  private var last: (time: MonotonicTime, joules: Double)?
  private var lastPresence = MonotonicTime.zero

  init(
    engines: DeviceEngines, planID: String, name: String, epoch: UInt64, root: TopicRoot,
    configuration: WorkerConfiguration
  ) throws(MartletError) {
    self.engines = engines
    engine = try engines.engine(for: .everyone(engines.plan.devices.count))
    self.planID = planID
    self.name = name
    self.epoch = epoch
    var topics: [String: String] = [:]
    for kind in ["memory", "energy", "frame"] {
      topics[kind] = try root.path(.metric(device: name, kind: kind))
    }
    self.topics = topics
    descriptionTopic = try root.path(.description(device: name))
    meter = EnergyMeter(
      assumption: .init(
        wattsPerBusyCore: configuration.busyWatts, idleWatts: configuration.idleWatts))
  }

  /// Whether the retained presence should be published again before the broker forgets it.
  func presenceDue(now: MonotonicTime) -> Bool {
    if lastPresence == .zero { lastPresence = now }
    guard now.nanoseconds(since: lastPresence) > 60_000_000_000 else { return false }
    lastPresence = now
    return true
  }

  /// What this device is.
  func description(methods: [String]) -> DeviceDescription {
    return DeviceDescription(
      version: Worker.version, methods: methods, plan: planID,
      parts: engine.program.publications.map { publication in
        let exchange = engine.plan.exchanges[publication.exchange]
        return .init(
          layer: exchange.id, neurons: engine.program.graph[publication.value].shape[exchange.axis])
      },
      hardware: .ofThisMachine)
  }

  /// Publishes what this device is.
  func describe(_ client: MQTTClient, methods: [String], logger: Logger) {
    do {
      try client.publish(
        MQTTMessage(
          topic: descriptionTopic, payload: try description(methods: methods).payload(),
          quality: .atLeastOnce, retain: true))
    } catch {
      logger.warning("\(error)")
    }
  }

  /// Publishes one message of each kind; failures are silent, the next second brings new ones.
  func publish(
    core: WorkerCore, sent: PartSender.Counters, _ client: MQTTClient, now: MonotonicTime
  ) {
    due = now.adding(nanoseconds: WorkerMeter.intervalNanoseconds)
    sequence += 1
    let seconds = Double(now.nanoseconds) / 1e9
    meter.sample(now: seconds, cpuSeconds: ProcessTime.cpuSeconds())
    if let memory = try? ProcessMemory.read() {
      send(
        MemoryMetric(
          epoch: epoch, sequence: sequence, residentBytes: memory.residentBytes,
          peakResidentBytes: memory.peakBytes, weightBytes: engines.weightBytes,
          arenaBytes: engine.compiled.arenaBytes), "memory", client)
    }
    if let last {
      let interval = Double(now.nanoseconds(since: last.time)) / 1e9
      let joules = max(0, meter.joules - last.joules)
      send(
        EnergyMetric(
          epoch: epoch, sequence: sequence, source: meter.source.rawValue, joules: joules,
          watts: interval > 0 ? joules / interval : 0, intervalMilliseconds: interval * 1e3),
        "energy", client)
    }
    last = (now, meter.joules)
    let counters = core.counters
    send(
      FrameMetric(
        epoch: epoch, sequence: sequence, frames: counters.framesFinished,
        framesDropped: counters.framesDropped,
        computeMilliseconds: Double(counters.computeNanoseconds) / 1e6,
        waitMilliseconds: Double(counters.waitNanoseconds) / 1e6, sentBytes: sent.bytes,
        fills: counters.fills,
        drops: Dictionary(
          uniqueKeysWithValues: core.drops.totals.map { ($0.key.rawValue, $0.value) })),
      "frame", client)
  }

  private func send(_ message: some WireMessage, _ kind: String, _ client: MQTTClient) {
    guard let topic = topics[kind], let payload = try? message.payload() else { return }
    try? client.publish(
      MQTTMessage(
        topic: topic, payload: payload, quality: .atLeastOnce,
        properties: MQTTProperties(expirySeconds: WorkerMeter.hour)))
  }
}

/// Resident memory of this process; 0 where it cannot be read.
func residentBytes() -> UInt64 {
  UInt64(clamping: (try? ProcessMemory.read())?.residentBytes ?? 0)
}
