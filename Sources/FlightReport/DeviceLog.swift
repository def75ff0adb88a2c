import WireProtocol

/// Everything that one device said.
package struct DeviceLog: Sendable {
  /// Beyond this many runs of a device, messages are counted and not used.
  package static let maximumEpochs = 64

  /// One run of the device.
  struct Epoch: Sendable {
    var totals = DeviceTotals()
    var trackers: [MetricKind: SequenceTracker] = [:]
  }

  var description: DeviceDescription?
  var presence = PresenceLog()
  private(set) var epochs: [UInt64: Epoch] = [:]

  /// Whether it computes parts: gateways say that they are there, too.
  var isWorker: Bool { !epochs.isEmpty || description?.parts.isEmpty != true }

  /// What became of a metric.
  enum Outcome {
    case used, repeated, beyondLimits
  }

  mutating func add<Metric: MetricMessage>(
    _ metric: Metric, _ body: (inout DeviceTotals) -> Void
  ) -> Outcome {
    guard epochs[metric.epoch] != nil || epochs.count < DeviceLog.maximumEpochs else {
      return .beyondLimits
    }
    let isNew = epochs[metric.epoch, default: Epoch()].trackers[
      Metric.kind, default: SequenceTracker()
    ].insert(metric.sequence)
    guard isNew else { return .repeated }
    body(&epochs[metric.epoch, default: Epoch()].totals)
    return .used
  }

  /// All runs together.
  var total: DeviceTotals {
    epochs.sorted { $0.key < $1.key }.reduce(into: DeviceTotals()) { $0.merge($1.value.totals) }
  }

  func figures(name: String, start: UInt64, end: UInt64) -> FlightReport.Device {
    let total = total
    return FlightReport.Device(
      name: name,
      hardware: description.map { "\($0.hardware.architecture), \($0.hardware.system)" },
      figures: total.figures(device: name),
      epochs: epochs.sorted { $0.key < $1.key }.map { epoch, entry in
        FlightReport.Epoch(
          epoch: epoch, figures: entry.totals.figures(device: name),
          sequences: Dictionary(
            uniqueKeysWithValues: entry.trackers.map { ($0.key.rawValue, $0.value.figures) }))
      }, stages: total.stages.figures, presence: presence.figures(start: start, end: end))
  }
}
