import WireProtocol

// From sums to the figures of a report.

extension DeviceTotals {
  func figures(device: String) -> FlightReport.DeviceFigures {
    let frames = Double(work.frames)
    let communication = work.sendMilliseconds + work.receiveMilliseconds
    let time = work.computeMilliseconds + work.waitMilliseconds + communication
    return FlightReport.DeviceFigures(
      device: device, seconds: work.intervalMilliseconds / 1e3, frames: work.frames,
      degradedFrames: work.framesDegraded, droppedFrames: work.framesDropped,
      energy: energyIntervals > 0 ? energy : nil,
      memory: maximumResidentBytes > 0 || peakResidentBytes > 0
        ? FlightReport.Memory(
          peak: peakResidentBytes, maximum: maximumResidentBytes, weights: weightBytes,
          arena: arenaBytes, queue: maximumQueueBytes) : nil,
      bytesOutPerImage: frames > 0 ? Double(work.sentBytes) / frames : nil,
      bytesInPerImage: frames > 0 ? Double(work.receivedBytes) / frames : nil,
      shares: time > 0 && frames > 0
        ? FlightReport.Shares(
          computing: work.computeMilliseconds / time, waiting: work.waitMilliseconds / time,
          communicating: communication / time) : nil,
      fills: work.fills, drops: work.drops,
      cpuShare: systemMilliseconds > 0 ? cpuMilliseconds / systemMilliseconds : nil,
      maximumCelsius: maximumCelsius, minimumMegahertz: minimumMegahertz)
  }

  private var energy: FlightReport.Energy {
    FlightReport.Energy(
      joules: joules,
      joulesPerImage: activeEnergyFrames > 0 ? activeJoules / Double(activeEnergyFrames) : nil,
      activeWatts: activeEnergyMilliseconds > 0
        ? activeJoules / activeEnergyMilliseconds * 1e3 : nil,
      maximumWatts: maximumWatts, sources: sources.sorted(), intervals: energyIntervals,
      failedReadings: failedReadings)
  }

  /// The stages in the order in which the device named them.
  var stageFigures: [FlightReport.Stage] {
    layers.compactMap { stages[$0] }.map { stage in
      let whole = DeviceTotals.times(stage.whole)
      let degraded = DeviceTotals.times(stage.degraded)
      let frames = max(1, Double(whole?.frames ?? 0) + Double(degraded?.frames ?? 0))
      return FlightReport.Stage(
        layer: stage.layer, whole: whole, degraded: degraded,
        receiveMilliseconds: stage.receiveMilliseconds / frames,
        bytesOut: Double(stage.sentBytes) / frames, bytesIn: Double(stage.receivedBytes) / frames,
        fills: stage.fills)
    }
  }

  private static func times(_ work: StageMetric.Work?) -> FlightReport.Times? {
    guard let work, work.frames > 0 else { return nil }
    let frames = Double(work.frames)
    return FlightReport.Times(
      frames: work.frames, compute: work.computeMilliseconds / frames,
      send: work.sendMilliseconds / frames, wait: work.waitMilliseconds / frames)
  }
}

extension SequenceTracker {
  var figures: FlightReport.Sequence {
    FlightReport.Sequence(
      received: received, missing: missing, repeated: repeated, reordered: reordered,
      implausible: implausible)
  }
}
