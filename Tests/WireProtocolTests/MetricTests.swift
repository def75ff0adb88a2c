import Foundations
import Testing
import WireProtocol

private var frame: FrameMetric {
  var metric = FrameMetric(epoch: 7, sequence: 3, intervalMilliseconds: 1000.5)
  metric.frames = 12
  metric.framesDegraded = 2
  metric.computeMilliseconds = 30.25
  metric.sentBytes = 4096
  metric.fills = ["deadline": 3]
  metric.drops = ["late": 1]
  var stage = StageMetric(layer: "conv-1")
  stage.whole = .init(
    frames: 10, computeMilliseconds: 20, sendMilliseconds: 1, waitMilliseconds: 5)
  stage.degraded = .init(frames: 2, computeMilliseconds: 4)
  stage.fills = ["deadline": 3]
  metric.stages = [stage]
  return metric
}

@Suite struct MetricTests {
  @Test func metricsComeBackAsTheyWere() throws {
    #expect(try FrameMetric(payload: frame.payload(), source: "t") == frame)
    let memory = MemoryMetric(
      epoch: 1, sequence: 2, intervalMilliseconds: 1000, residentBytes: 3, peakResidentBytes: 4,
      weightBytes: 5, arenaBytes: 6, queueBytes: 7)
    #expect(try MemoryMetric(payload: memory.payload(), source: "t") == memory)
    let energy = EnergyMetric(
      epoch: 1, sequence: 2, intervalMilliseconds: 1000, source: "estimate", joules: 3, watts: 3,
      frames: 9)
    #expect(try EnergyMetric(payload: energy.payload(), source: "t") == energy)
    #expect(energy.isEstimate)
    let system = SystemMetric(
      epoch: 1, sequence: 2, intervalMilliseconds: 1000, cpuMilliseconds: 250,
      temperatureCelsius: -3, clockMegahertz: nil)
    #expect(try SystemMetric(payload: system.payload(), source: "t") == system)
  }

  @Test func namesCarryUnits() throws {
    let text = String(decoding: try frame.payload(), as: UTF8.self)
    for name in [
      "\"epoch\":7", "\"seq\":3", "\"interval_ms\":1000.5", "\"compute_ms\":30.25",
      "\"sent_bytes\":4096", "\"stages\":[{\"layer\":\"conv-1\"",
    ] {
      #expect(text.contains(name), "\(name) in \(text)")
    }
  }

  @Test func absurdFiguresAreRefused() {
    func refused(_ change: (inout FrameMetric) -> Void) -> Bool {
      var metric = frame
      change(&metric)
      return (try? metric.payload()) == nil
    }
    #expect(!refused { _ in })
    #expect(refused { $0.intervalMilliseconds = -1 })
    #expect(refused { $0.waitMilliseconds = .nan })
    #expect(refused { $0.computeMilliseconds = 1e13 })
    #expect(refused { $0.frames = 1 << 60 })
    #expect(refused { $0.fills = ["a reason that is much too long to be one of ours": 1] })
    #expect(refused { metric in for n in 0..<65 { metric.drops["r\(n)"] = 1 } })
    #expect(refused { $0.stages[0].layer = "Conv 1" })
    #expect(refused { $0.stages = Array(repeating: $0.stages[0], count: 513) })
    #expect(refused { $0.stages[0].whole?.sendMilliseconds = .infinity })
  }

  @Test func decodingSurvivesNoise() throws {
    let seed: UInt64 = 11
    var random = SeededGenerator(seed: seed)
    let original = try frame.payload()
    var accepted = 0
    for _ in 0..<5000 {
      var payload = original
      for _ in 0..<Int.random(in: 1...3, using: &random) { mutate(&payload, using: &random) }
      guard let metric = try? FrameMetric(payload: payload, source: "t") else { continue }
      accepted += 1
      #expect(metric.computeMilliseconds >= 0 && metric.stages.count <= 512, "seed \(seed)")
    }
    #expect(accepted > 0 && accepted < 5000, "seed \(seed): the mutations test nothing")
  }
}
