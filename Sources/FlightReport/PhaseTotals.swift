import Foundations
import WireProtocol

/// What results add up to, over any set of them.
struct PhaseTotals: Sendable {
  private(set) var frames = 0
  var seconds = 0.0
  private(set) var labelled = 0
  private(set) var top1 = 0
  private(set) var top5 = 0
  private(set) var refused = 0
  private(set) var latency = LatencyHistogram()
  private(set) var degradedFrames = 0
  private(set) var fills: [String: Int] = [:]
  private(set) var filledDevices: [String: Int] = [:]
  private(set) var filledNeurons = 0
  var devices: [String: DeviceTotals] = [:]

  static let maximumDevices = 1024

  mutating func add(_ result: FrameResult) {
    frames += 1
    if let isRight = result.isRight {
      labelled += 1
      if isRight { top1 += 1 }
      if result.top5.contains(where: { $0.label == result.truth }) { top5 += 1 }
    }
    if result.status == .refused { refused += 1 }
    latency.add(result.latencyMilliseconds)
    if !result.degraded.isEmpty { degradedFrames += 1 }
    for part in result.degraded {
      fills[part.reason.rawValue, default: 0] += 1
      if filledDevices[part.device] != nil || filledDevices.count < PhaseTotals.maximumDevices {
        filledDevices[part.device, default: 0] += 1
      }
    }
    filledNeurons = min(filledNeurons + result.filledNeurons, 1 << 60)
  }

  /// Adds the results of another set; devices are left out, their intervals may lie across both.
  mutating func merge(_ other: PhaseTotals) {
    frames += other.frames
    seconds += other.seconds
    labelled += other.labelled
    top1 += other.top1
    top5 += other.top5
    refused += other.refused
    latency.merge(other.latency)
    degradedFrames += other.degradedFrames
    fills.merge(other.fills, uniquingKeysWith: +)
    filledDevices.merge(other.filledDevices, uniquingKeysWith: +)
    filledNeurons = min(filledNeurons + other.filledNeurons, 1 << 60)
  }

  /// Below this many frames a phase says that its figures rest on little.
  static let fewFrames = 30
  /// Below this many intervals of a second, so does the energy.
  static let fewIntervals = 3

  func figures(alive: [String]?) -> FlightReport.Phase {
    let quantiles = latency.quantiles(PhaseTotals.fractions)
    let named = latency.quantiles([0.5, 0.9, 0.99])
    var notes: [String] = []
    if frames < PhaseTotals.fewFrames { notes.append("rests on \(frames) frames only") }
    if labelled < frames {
      notes.append("the right class is known of \(labelled) of \(frames) frames")
    }
    if refused > 0 { notes.append("\(refused) answers were not good enough and were refused") }
    let rows = devices.sorted { $0.key < $1.key }
    for (name, totals) in rows where totals.energy.activeIntervals < PhaseTotals.fewIntervals {
      notes.append(
        "\(name): energy rests on \(totals.energy.activeIntervals) intervals within the phase")
    }
    return FlightReport.Phase(
      alive: alive, seconds: seconds, frames: frames,
      framesPerSecond: seconds > 0 ? Double(frames) / seconds : nil,
      top1: PhaseTotals.proportion(top1, labelled), top5: PhaseTotals.proportion(top5, labelled),
      latency: latency.mean.map { mean in
        FlightReport.Latency(
          mean: mean, p50: named[0], p90: named[1], p99: named[2], maximum: latency.maximum,
          quantiles: zip(PhaseTotals.fractions, quantiles).map {
            .init(fraction: $0, milliseconds: $1)
          })
      },
      degradedFrames: degradedFrames, fills: fills, filledDevices: filledDevices,
      filledNeurons: filledNeurons, devices: rows.map { $1.figures(device: $0) },
      stages: stages(rows), notes: notes)
  }

  private func stages(
    _ rows: [(key: String, value: DeviceTotals)]
  ) -> [String: [FlightReport.Stage]]? {
    let known = rows.filter { !$0.value.stages.isEmpty }
    guard !known.isEmpty else { return nil }
    return Dictionary(uniqueKeysWithValues: known.map { ($0.key, $0.value.stages.figures) })
  }

  private static let fractions = [
    0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999, 1,
  ]

  private static func proportion(_ correct: Int, _ of: Int) -> FlightReport.Proportion? {
    guard of > 0 else { return nil }
    let interval = WilsonInterval(successes: correct, trials: of)
    return FlightReport.Proportion(
      correct: correct, of: of, accuracy: Double(correct) / Double(of), low: interval.lower,
      high: interval.upper)
  }
}
