import FlightReport
import Tables

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

  /// What one frame spends in each stage of a device: the mean over all its frames of this sort, so
  /// that a stage which only some of them go through counts for its share, and the sum is a frame.
  static func frame(
    _ stages: [FlightReport.Stage], _ times: (FlightReport.Stage) -> FlightReport.Times?
  ) -> [(layer: String, times: FlightReport.Times)] {
    let frames = stages.compactMap { times($0)?.frames }.max() ?? 0
    guard frames > 0 else { return [] }
    return stages.compactMap { stage in
      guard var mean = times(stage) else { return nil }
      let share = Double(mean.frames) / Double(frames)
      mean.compute *= share
      mean.send *= share
      mean.wait *= share
      return (stage.layer, mean)
    }
  }

  /// The stages over devices, in the order in which the devices name them, and their sum.
  var summaries: [StageSummary] {
    var layers: [String] = []
    var whole: [String: [FlightReport.Times]] = [:]
    var stages: [String: [FlightReport.Stage]] = [:]
    for device in devices {
      for stage in device.stages {
        if stages[stage.layer] == nil { layers.append(stage.layer) }
        stages[stage.layer, default: []].append(stage)
      }
      for (layer, times) in StageGroup.frame(device.stages, \.whole) {
        whole[layer, default: []].append(times)
      }
    }
    return layers.map { layer in
      StageSummary(layer: layer, whole: whole[layer] ?? [], stages: stages[layer] ?? [])
    }
  }

  /// Milliseconds that each device spends on a frame from which nothing is missing.
  var frameMilliseconds: StageSummary.Spread? {
    let sums = devices.compactMap { device -> Double? in
      let frame = StageGroup.frame(device.stages, \.whole)
      return frame.isEmpty ? nil : frame.reduce(0) { $0 + $1.times.total }
    }
    return sums.isEmpty ? nil : StageSummary.Spread(sums)
  }
}

/// One stage over all devices that work in it.
struct StageSummary {
  /// A figure over devices.
  struct Spread {
    var mean: Double
    var maximum: Double

    init(_ values: [Double]) {
      mean = values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
      maximum = values.max() ?? 0
    }

    var text: String { "\(mean.formatted(3)) (\(maximum.formatted(3)))" }
  }

  var layer: String
  /// Of frames from which nothing was missing; nil where there are none.
  var compute: Spread?
  var send: Spread?
  var wait: Spread?
  var receive: Spread
  /// Of frames from which something was missing.
  var degradedWait: Spread?
  var bytesOut: Double
  var bytesIn: Double
  var fills: [String: UInt64]

  init(layer: String, whole: [FlightReport.Times], stages: [FlightReport.Stage]) {
    self.layer = layer
    compute = whole.isEmpty ? nil : Spread(whole.map(\.compute))
    send = whole.isEmpty ? nil : Spread(whole.map(\.send))
    wait = whole.isEmpty ? nil : Spread(whole.map(\.wait))
    receive = Spread(stages.map(\.receiveMilliseconds))
    let degraded = stages.compactMap(\.degraded)
    degradedWait = degraded.isEmpty ? nil : Spread(degraded.map(\.wait))
    let count = Double(max(stages.count, 1))
    bytesOut = stages.reduce(0) { $0 + $1.bytesOut } / count
    bytesIn = stages.reduce(0) { $0 + $1.bytesIn } / count
    fills = stages.reduce(into: [:]) { sums, stage in
      for (reason, count) in stage.fills {
        let (sum, overflow) = (sums[reason] ?? 0).addingReportingOverflow(count)
        sums[reason] = overflow ? .max : sum
      }
    }
  }
}
