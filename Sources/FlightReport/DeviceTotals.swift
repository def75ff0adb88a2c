import WireProtocol

/// What a device's metrics add up to, over any set of its messages.
struct DeviceTotals: Sendable, Equatable {
  /// Times, bytes and counts; `sequence` and `epoch` mean nothing here.
  var work = FrameMetric(epoch: 0, sequence: 0, intervalMilliseconds: 0)
  /// Length of the intervals with frames in them.
  var activeMilliseconds = 0.0
  /// Sums by layer.
  var stages: [String: StageMetric] = [:]
  /// Layers in the order in which they first came.
  var layers: [String] = []

  var joules = 0.0
  var energyMilliseconds = 0.0
  var energyIntervals = 0
  /// The part of `joules` in intervals with frames in them.
  var activeJoules = 0.0
  var activeEnergyMilliseconds = 0.0
  var activeEnergyFrames: UInt64 = 0
  var activeEnergyIntervals = 0
  var maximumWatts = 0.0
  var failedReadings: UInt64 = 0
  var sources: Set<String> = []

  var peakResidentBytes = 0
  var maximumResidentBytes = 0
  var weightBytes = 0
  var arenaBytes = 0
  var maximumQueueBytes = 0

  var cpuMilliseconds = 0.0
  var systemMilliseconds = 0.0
  var maximumCelsius: Double?
  var minimumMegahertz: Double?

  static let maximumLayers = 512

  mutating func add(_ metric: FrameMetric) {
    work.intervalMilliseconds += metric.intervalMilliseconds
    if metric.frames > 0 { activeMilliseconds += metric.intervalMilliseconds }
    work.frames.saturate(adding: metric.frames)
    work.framesDegraded.saturate(adding: metric.framesDegraded)
    work.framesDropped.saturate(adding: metric.framesDropped)
    work.computeMilliseconds += metric.computeMilliseconds
    work.waitMilliseconds += metric.waitMilliseconds
    work.sendMilliseconds += metric.sendMilliseconds
    work.receiveMilliseconds += metric.receiveMilliseconds
    work.sentBytes.saturate(adding: metric.sentBytes)
    work.receivedBytes.saturate(adding: metric.receivedBytes)
    add(metric.fills, to: &work.fills)
    add(metric.drops, to: &work.drops)
    for stage in metric.stages { add(stage) }
  }

  mutating func add(_ metric: EnergyMetric) {
    joules += metric.joules
    energyMilliseconds += metric.intervalMilliseconds
    energyIntervals += 1
    if metric.frames > 0 {
      activeJoules += metric.joules
      activeEnergyMilliseconds += metric.intervalMilliseconds
      activeEnergyFrames.saturate(adding: metric.frames)
      activeEnergyIntervals += 1
    }
    maximumWatts = max(maximumWatts, metric.watts)
    failedReadings.saturate(adding: metric.failedReadings)
    if sources.count < 8 { sources.insert(metric.source) }
  }

  mutating func add(_ metric: MemoryMetric) {
    peakResidentBytes = max(peakResidentBytes, metric.peakResidentBytes)
    maximumResidentBytes = max(maximumResidentBytes, metric.residentBytes)
    weightBytes = max(weightBytes, metric.weightBytes)
    arenaBytes = max(arenaBytes, metric.arenaBytes)
    maximumQueueBytes = max(maximumQueueBytes, metric.queueBytes)
  }

  mutating func add(_ metric: SystemMetric) {
    cpuMilliseconds += metric.cpuMilliseconds
    systemMilliseconds += metric.intervalMilliseconds
    if let celsius = metric.temperatureCelsius {
      maximumCelsius = max(maximumCelsius ?? celsius, celsius)
    }
    if let clock = metric.clockMegahertz {
      minimumMegahertz = min(minimumMegahertz ?? clock, clock)
    }
  }

  /// Adds what other messages of the device came to.
  mutating func merge(_ other: DeviceTotals) {
    let active = activeMilliseconds + other.activeMilliseconds
    var metric = other.work
    metric.stages = other.layers.compactMap { other.stages[$0] }
    add(metric)
    activeMilliseconds = active
    joules += other.joules
    energyMilliseconds += other.energyMilliseconds
    energyIntervals += other.energyIntervals
    activeJoules += other.activeJoules
    activeEnergyMilliseconds += other.activeEnergyMilliseconds
    activeEnergyFrames.saturate(adding: other.activeEnergyFrames)
    activeEnergyIntervals += other.activeEnergyIntervals
    maximumWatts = max(maximumWatts, other.maximumWatts)
    failedReadings.saturate(adding: other.failedReadings)
    sources.formUnion(other.sources)
    peakResidentBytes = max(peakResidentBytes, other.peakResidentBytes)
    maximumResidentBytes = max(maximumResidentBytes, other.maximumResidentBytes)
    weightBytes = max(weightBytes, other.weightBytes)
    arenaBytes = max(arenaBytes, other.arenaBytes)
    maximumQueueBytes = max(maximumQueueBytes, other.maximumQueueBytes)
    cpuMilliseconds += other.cpuMilliseconds
    systemMilliseconds += other.systemMilliseconds
    maximumCelsius = [maximumCelsius, other.maximumCelsius].compactMap { $0 }.max()
    minimumMegahertz = [minimumMegahertz, other.minimumMegahertz].compactMap { $0 }.min()
  }

  private mutating func add(_ stage: StageMetric) {
    if stages[stage.layer] == nil {
      guard layers.count < DeviceTotals.maximumLayers else { return }
      layers.append(stage.layer)
    }
    var sum = stages[stage.layer] ?? StageMetric(layer: stage.layer)
    sum.whole = adding(stage.whole, to: sum.whole)
    sum.degraded = adding(stage.degraded, to: sum.degraded)
    sum.receiveMilliseconds += stage.receiveMilliseconds
    sum.sentBytes.saturate(adding: stage.sentBytes)
    sum.receivedBytes.saturate(adding: stage.receivedBytes)
    add(stage.fills, to: &sum.fills)
    stages[stage.layer] = sum
  }

  private func adding(_ work: StageMetric.Work?, to sum: StageMetric.Work?) -> StageMetric.Work? {
    guard let work else { return sum }
    guard var sum else { return work }
    sum.frames.saturate(adding: work.frames)
    sum.computeMilliseconds += work.computeMilliseconds
    sum.sendMilliseconds += work.sendMilliseconds
    sum.waitMilliseconds += work.waitMilliseconds
    return sum
  }

  /// At most 64 reasons, as in a message.
  private func add(_ counts: [String: UInt64], to sums: inout [String: UInt64]) {
    for (reason, count) in counts where sums[reason] != nil || sums.count < 64 {
      sums[reason, default: 0].saturate(adding: count)
    }
  }
}

extension UInt64 {
  /// Adds; a sum that a hostile message makes too large stays the largest number.
  mutating func saturate(adding other: UInt64) {
    let (sum, overflow) = addingReportingOverflow(other)
    self = overflow ? .max : sum
  }
}
