import FlightReport
import Foundations
import JSONCoding
import WireProtocol

/// Writes a deployment's messages into a report, second by second.
struct Script {
  var builder: ReportBuilder
  let root: TopicRoot
  var sequence: [String: UInt64] = [:]

  init() throws {
    root = try TopicRoot(deployment: "default")
    builder = ReportBuilder(root: root)
  }

  static func nanoseconds(_ seconds: Double) -> UInt64 {
    1_700_000_000_000_000_000 + UInt64(seconds * 1e9)
  }

  mutating func send(_ topic: Topic, _ message: some WireMessage, at seconds: Double) throws {
    builder.add(
      topic: try root.path(topic), payload: try message.payload(), time: Script.nanoseconds(seconds)
    )
  }

  mutating func next(_ key: String) -> UInt64 {
    sequence[key, default: 0] += 1
    return sequence[key] ?? 0
  }

  mutating func answer(
    at seconds: Double, alive: [String], label: Int = 1, expected: Int? = 1, latency: Double = 10,
    missing: [String] = [], client: String = "c1", sequence: UInt64? = nil,
    _ adjust: (inout FrameResult) -> Void = { _ in }
  ) throws {
    var result = FrameResult(
      frame: 1, label: label,
      top5: [.init(label: label, confidence: 0.5), .init(label: 2, confidence: 0.1)],
      confidence: 0.5, latencyMilliseconds: latency,
      degraded: missing.map { .init(layer: "conv", device: $0, reason: .lost) },
      filledNeurons: missing.count * 4)
    result.epoch = 5
    let number = next(client)
    result.sequence = sequence ?? number
    result.truth = expected
    result.alive = alive
    adjust(&result)
    try send(.result(client: client), result, at: seconds)
  }

  mutating func metrics(
    _ device: String, at seconds: Double, frames: UInt64, joules: Double, epoch: UInt64 = 1,
    peak: Int = 1000
  ) throws {
    let number = next("\(device)/\(epoch)")
    var work = FrameMetric(epoch: epoch, sequence: number, intervalMilliseconds: 1000)
    work.frames = frames
    work.computeMilliseconds = 300
    work.waitMilliseconds = 600
    work.sendMilliseconds = 60
    work.receiveMilliseconds = 40
    work.sentBytes = frames * 100
    work.receivedBytes = frames * 300
    work.fills = ["lost": 1]
    var stage = StageMetric(layer: "conv")
    stage.whole = .init(
      frames: frames, computeMilliseconds: 300, sendMilliseconds: 60, waitMilliseconds: 600)
    work.stages = [stage]
    try send(.metric(device: device, kind: "frame"), work, at: seconds)
    try send(
      .metric(device: device, kind: "energy"),
      EnergyMetric(
        epoch: epoch, sequence: number, intervalMilliseconds: 1000, source: "ina3221",
        joules: joules, watts: joules, frames: frames), at: seconds)
    try send(
      .metric(device: device, kind: "memory"),
      MemoryMetric(
        epoch: epoch, sequence: number, intervalMilliseconds: 1000, residentBytes: peak - 1,
        peakResidentBytes: peak, weightBytes: 500, arenaBytes: 50, queueBytes: 5), at: seconds)
  }
}
