import FlightReport

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
  var compute: Spread
  var send: Spread
  var wait: Spread
  var receive: Spread
  var degradedWait: Spread?
  var bytesOut: Double
  var bytesIn: Double
  var fills: [String: UInt64]

  /// The stages in the order in which the devices name them.
  static func stages(of report: FlightReport) -> [StageSummary] {
    var layers: [String] = []
    var byLayer: [String: [FlightReport.Stage]] = [:]
    for stage in report.devices.flatMap(\.stages) {
      if byLayer[stage.layer] == nil { layers.append(stage.layer) }
      byLayer[stage.layer, default: []].append(stage)
    }
    return layers.map { layer in
      let stages = byLayer[layer] ?? []
      let whole = stages.compactMap { $0.whole ?? $0.degraded }
      let degraded = stages.compactMap(\.degraded)
      let count = Double(max(stages.count, 1))
      return StageSummary(
        layer: layer, compute: Spread(whole.map(\.compute)), send: Spread(whole.map(\.send)),
        wait: Spread(whole.map(\.wait)), receive: Spread(stages.map(\.receiveMilliseconds)),
        degradedWait: degraded.isEmpty ? nil : Spread(degraded.map(\.wait)),
        bytesOut: stages.reduce(0) { $0 + $1.bytesOut } / count,
        bytesIn: stages.reduce(0) { $0 + $1.bytesIn } / count,
        fills: stages.reduce(into: [:]) { $0.merge($1.fills) { $0 &+ $1 } })
    }
  }
}
