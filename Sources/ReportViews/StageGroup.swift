import FlightReport

/// The stages of one set of devices that frames were sent to.
///
/// Whom a frame counts on decides which stages it goes through: where a device is missing, others
/// decode or compute what it would have sent. Stages of different sets do not add up to any frame.
struct StageGroup {
  /// The devices that were counted on; nil where nobody says, and all stages are together.
  var alive: [String]?
  /// Half of the answers took less, in milliseconds.
  var medianLatency: Double?
  /// Each device's stages, by name.
  var devices: [(name: String, stages: [FlightReport.Stage])]

  /// One for each set with stages, the largest and then the most used first; without answers
  /// everything together.
  static func groups(of report: FlightReport) -> [StageGroup] {
    let phases = report.runs.flatMap(\.phases).filter { $0.alive != nil && $0.stages != nil }
      .sorted { ($1.alive?.count ?? 0, $1.frames) < ($0.alive?.count ?? 0, $0.frames) }
    var groups: [StageGroup] = []
    for phase in phases where !groups.contains(where: { $0.alive == phase.alive }) {
      let devices = (phase.stages ?? [:]).sorted { $0.key < $1.key }
      groups.append(
        StageGroup(
          alive: phase.alive, medianLatency: phase.latency?.p50,
          devices: devices.map { ($0.key, $0.value) }))
    }
    if !groups.isEmpty { return groups }
    let devices = report.devices.filter { !$0.stages.isEmpty }.map { ($0.name, $0.stages) }
    return devices.isEmpty ? [] : [StageGroup(alive: nil, medianLatency: nil, devices: devices)]
  }

  /// A device's stages with the times of one sort of frames spread over all its frames of this sort, so
  /// that a stage which only some of them go through counts for its share, and the sum is a frame.
  static func frame(
    _ stages: [FlightReport.Stage],
    _ times: WritableKeyPath<FlightReport.Stage, FlightReport.Times?>
  ) -> [FlightReport.Stage] {
    let frames = stages.compactMap { $0[keyPath: times]?.frames }.max() ?? 0
    return stages.map { stage in
      guard var mean = stage[keyPath: times] else { return stage }
      let share = Double(mean.frames) / Double(frames)
      mean.compute *= share
      mean.send *= share
      mean.wait *= share
      var result = stage
      result[keyPath: times] = frames > 0 ? mean : nil
      return result
    }
  }

  /// The stages of each layer on the devices that work in it, in the order in which the devices name
  /// the layers; times of frames that lack nothing are those of the mean frame.
  var layers: [(layer: String, stages: [FlightReport.Stage])] {
    var layers: [String] = []
    var stages: [String: [FlightReport.Stage]] = [:]
    for device in devices {
      for stage in StageGroup.frame(device.stages, \.whole) {
        if stages[stage.layer] == nil { layers.append(stage.layer) }
        stages[stage.layer, default: []].append(stage)
      }
    }
    return layers.map { ($0, stages[$0] ?? []) }
  }

  /// Parts filled in stages, by reason.
  static func fills(_ stages: [FlightReport.Stage]) -> [String: UInt64] {
    stages.reduce(into: [:]) { sums, stage in
      for (reason, count) in stage.fills {
        let (sum, overflow) = (sums[reason] ?? 0).addingReportingOverflow(count)
        sums[reason] = overflow ? .max : sum
      }
    }
  }

  /// Milliseconds that each device spends on a frame from which nothing is missing.
  var frameMilliseconds: [Double] {
    devices.compactMap { device in
      let times = StageGroup.frame(device.stages, \.whole).compactMap(\.whole)
      return times.isEmpty ? nil : times.reduce(0) { $0 + $1.total }
    }
  }
}
