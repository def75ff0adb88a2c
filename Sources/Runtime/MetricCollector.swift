package import Foundations
package import Logging
import MQTT
import Synchronization
import WireProtocol

/// Adds up what the devices of a deployment publish about themselves.
package final class MetricCollector: Sendable {
  /// What is known of one device.
  package struct Device: Sendable, Hashable {
    /// Energy since the collector connected, over all runs of the device.
    package var joules = 0.0
    /// The most resident memory of any run, in bytes.
    package var peakResidentBytes = 0
    /// Weights as the kernels hold them, in bytes.
    package var weightBytes = 0
    /// How the energy was found: a meter's name, or `estimate`.
    package var energySource = ""
    /// Frames computed, over all runs.
    package var frames: UInt64 = 0

    /// Nothing known yet.
    package init() {}
  }

  private let client: MQTTClient
  private let collected: Collected

  /// Connects to a deployment's broker.
  ///
  /// - Throws: `unreachable` or `permissionDenied` when that fails within ten seconds.
  package init(address: DeploymentAddress, logger: Logger) throws(MartletError) {
    let root = try TopicRoot(deployment: address.deployment)
    let state = Collected()
    client = try MQTTClient(
      address.configuration(clientIDPrefix: "metrics"), logger: logger,
      onMessage: { message in
        guard case .metric(let device, let kind)? = root.parse(message.topic) else { return }
        state.receive(Array(message.payload), device: device, kind: kind)
      })
    collected = state
    try client.subscribe(try root.path(.allMetrics), quality: .atLeastOnce)
    try client.connect(timeout: .seconds(10))
  }

  /// What has arrived so far, by device.
  package var snapshot: [String: Device] { collected.devices.withLock { $0 } }

  /// Leaves the broker; may be called any number of times.
  package func close() { client.close() }
}

/// The numbers behind a collector, shared with the network thread.
private final class Collected: Sendable {
  let devices = Mutex<[String: MetricCollector.Device]>([:])

  func receive(_ payload: [UInt8], device: String, kind: String) {
    let source = "metric/\(device)/\(kind)"
    devices.withLock { devices in
      var entry = devices[device] ?? MetricCollector.Device()
      switch MetricKind(rawValue: kind) {
      case .memory:
        guard let metric = try? MemoryMetric(payload: payload, source: source) else { return }
        entry.peakResidentBytes = max(entry.peakResidentBytes, metric.peakResidentBytes)
        entry.weightBytes = metric.weightBytes
      case .energy:
        guard let metric = try? EnergyMetric(payload: payload, source: source) else { return }
        entry.joules += metric.joules
        entry.energySource = metric.source
      case .frame:
        guard let metric = try? FrameMetric(payload: payload, source: source) else { return }
        entry.frames += metric.frames
      case .system, nil: return
      }
      // A hostile broker must not make this grow without bound.
      if devices[device] != nil || devices.count < 1024 { devices[device] = entry }
    }
  }
}
