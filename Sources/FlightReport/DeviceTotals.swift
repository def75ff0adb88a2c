import WireProtocol

/// What a device's metrics add up to, over any set of its messages, by kind of metric.
struct DeviceTotals: Sendable, Equatable {
  var work = WorkTotals()
  var stages = StageTotals()
  var energy = EnergyTotals()
  var memory = MemoryTotals()
  var system = SystemTotals()

  mutating func add(_ metric: FrameMetric) {
    work.add(metric)
    for stage in metric.stages { stages.add(stage) }
  }

  /// Adds what other messages of the device came to.
  mutating func merge(_ other: DeviceTotals) {
    work.merge(other.work)
    stages.merge(other.stages)
    energy.merge(other.energy)
    memory.merge(other.memory)
    system.merge(other.system)
  }

  func figures(device: String) -> FlightReport.DeviceFigures {
    FlightReport.DeviceFigures(
      device: device, counts: work.counts, energy: energy.figures, memory: memory.figures,
      work: work.figures, system: system.figures)
  }
}

extension UInt64 {
  /// Adds; a sum that a hostile message makes too large stays the largest number.
  mutating func saturate(adding other: UInt64) {
    let (sum, overflow) = addingReportingOverflow(other)
    self = overflow ? .max : sum
  }
}

extension [String: UInt64] {
  /// Adds counts by reason, of at most 64 reasons, as in a message.
  mutating func saturate(adding counts: [String: UInt64]) {
    for (reason, count) in counts where self[reason] != nil || self.count < 64 {
      self[reason, default: 0].saturate(adding: count)
    }
  }
}
