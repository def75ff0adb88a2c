import FlightReport
import Foundations
import JSONCoding
import Testing
import WireProtocol

@Suite struct HostilePayloadTests {
  @Test func whatCannotBeReadIsCounted() throws {
    var builder = ReportBuilder(root: try TopicRoot(deployment: "default"))
    let root = "martlet/1/default/"
    for payload in [
      "", "{", "[]", "{\"epoch\":-1}", "\u{0}\u{1}", String(repeating: "[", count: 9999),
    ] {
      for topic in ["metric/d0/frame", "metric/d0/energy", "result/c1", "heartbeat/d0", "desc/d0"] {
        builder.add(topic: root + topic, payload: Array(payload.utf8), time: 1)
      }
    }
    builder.add(topic: root + "metric/d0/unheard-of", payload: [], time: 1)
    builder.add(topic: "zigbee2mqtt/lamp", payload: [1], time: 1)
    builder.add(topic: root + "act/conv/d0", payload: [1], time: 1)
    let report = builder.report
    #expect(report.input.messages == 33 && report.input.foreign == 2 && report.input.tensors == 1)
    #expect(report.input.unreadable["metric/frame"] == 6)
    // An empty retained description only clears the topic.
    #expect(report.input.unreadable["desc"] == 5)
    #expect(report.devices.isEmpty && report.runs.isEmpty)
  }

  @Test func whatAsksForRightsIsNoFlaw() throws {
    var builder = ReportBuilder(root: try TopicRoot(deployment: "default"))
    for topic in ["presence/d0", "heartbeat/d0", "act/conv/d0", "input/c1"] {
      builder.add(
        topic: "martlet/1/default/" + topic, payload: Array("martlet-check0123456789abcdef".utf8),
        time: 1)
    }
    let input = builder.report.input
    #expect(input.messages == 4 && input.unreadable.isEmpty && input.tensors == 0)
  }

  @Test func sumsThatWouldOverflowStayTheLargestNumber() throws {
    var builder = ReportBuilder(root: try TopicRoot(deployment: "default"))
    for number in 1...4000 as ClosedRange<UInt64> {
      var metric = FrameMetric(epoch: 1, sequence: number, intervalMilliseconds: 1)
      metric.frames = Epoch.maximum
      metric.sentBytes = Epoch.maximum
      metric.fills = ["lost": Epoch.maximum]
      builder.add(
        topic: "martlet/1/default/metric/d0/frame", payload: try metric.payload(), time: number)
    }
    let figures = try #require(builder.report.devices.first).figures
    #expect(figures.counts.frames == .max && figures.work.fills["lost"] == .max)
  }

  @Test func manyDevicesRunsEpochsAndPhasesAreBounded() throws {
    var builder = ReportBuilder(root: try TopicRoot(deployment: "default"))
    let root = "martlet/1/default/"
    for n in 0..<3000 as Range<UInt64> {
      let energy = EnergyMetric(
        epoch: n + 1, sequence: 1, intervalMilliseconds: 1, source: "s\(n)", joules: 1, watts: 1,
        frames: 1)
      builder.add(
        topic: root + "metric/d\(n)/energy", payload: try energy.payload(), time: n)
      builder.add(topic: root + "metric/d0/energy", payload: try energy.payload(), time: n)
      var result = FrameResult(
        frame: n, label: 1, top5: [], confidence: 1, latencyMilliseconds: 1e11)
      result.epoch = 1
      result.sequence = n + 1
      result.alive = ["d\(n)"]
      builder.add(topic: root + "result/c0", payload: try result.payload(), time: n)
      builder.add(topic: root + "result/c\(n)", payload: try result.payload(), time: n)
    }
    let report = builder.report
    #expect(report.devices.count == ReportBuilder.maximumDevices)
    #expect(report.devices.first?.epochs.count == DeviceLog.maximumEpochs)
    #expect(report.runs.count == ReportBuilder.maximumRuns)
    #expect(report.runs.first?.phases.count == RunTotals.maximumPhases)
    #expect(report.input.beyondLimits > 3000)
  }

  @Test func noiseNeverTraps() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    var builder = ReportBuilder(root: try TopicRoot(deployment: "default"))
    var metric = FrameMetric(epoch: 1, sequence: 1, intervalMilliseconds: 1000)
    metric.frames = 3
    metric.stages = [StageMetric(layer: "conv")]
    var result = FrameResult(
      frame: 1, label: 1, top5: [.init(label: 1, confidence: 1)], confidence: 1,
      latencyMilliseconds: 3)
    result.alive = ["d0"]
    let presence = Presence(
      state: .ready, epoch: 1, heartbeatMilliseconds: 500, version: "1")
    let originals = [
      ("metric/d0/frame", try metric.payload()), ("result/c1", try result.payload()),
      ("presence/d0", try presence.payload()),
    ]
    for n in 0..<6000 {
      var (topic, payload) = originals[n % originals.count]
      for _ in 0..<Int.random(in: 0...3, using: &random) {
        let place = Int.random(in: 0..<payload.count, using: &random)
        payload[place] = UInt8.random(in: 32...126, using: &random)
      }
      topic = "martlet/1/default/" + topic
      builder.add(
        topic: topic, payload: payload, time: UInt64.random(in: 0...UInt64.max, using: &random))
    }
    let report = builder.report
    #expect(report.input.messages == 6000, "seed \(seed)")
    #expect(report.input.unreadable.values.reduce(0, +) > 300, "seed \(seed)")
    #expect(report.runs.first?.total.frames ?? 0 > 0, "seed \(seed)")
  }

  @Test func afterALossFramesGoThroughOtherStages() throws {
    var script = try Script()
    // With everybody a frame takes 100 ms in two stages; without d1 the second stage is another one.
    for second in 0..<20 {
      let isLost = second >= 10
      for n in 0..<5 {
        try script.answer(
          at: Double(second) + Double(n) / 5, alive: isLost ? ["d0"] : ["d0", "d1"],
          latency: isLost ? 150 : 101)
      }
      var work = FrameMetric(
        epoch: 1, sequence: script.next("stages"), intervalMilliseconds: 900)
      work.frames = 5
      for (layer, milliseconds) in [
        ("first", 40.0), (isLost ? "decoded" : "second", isLost ? 110 : 60),
      ] {
        var stage = StageMetric(layer: layer)
        stage.whole = .init(frames: 5, computeMilliseconds: milliseconds * 5)
        work.stages.append(stage)
      }
      try script.send(.metric(device: "d0", kind: "frame"), work, at: Double(second) + 0.95)
    }
    let report = script.builder.report
    let phases = try #require(report.runs.first).phases
    for (phase, layers) in zip(phases, [["first", "second"], ["first", "decoded"]]) {
      let stages = try #require(phase.stages?["d0"])
      #expect(stages.map(\.layer) == layers)
      let sum = stages.reduce(0) { $0 + ($1.whole?.total ?? 0) }
      let median = try #require(phase.latency).p50
      #expect(sum <= median * 1.01 && sum > median * 0.9, "\(sum) ms of \(median)")
    }
    // Both kinds of frames together are of no frame.
    #expect(report.devices[0].stages.map(\.layer) == ["first", "second", "decoded"])
  }

  @Test func aFigureThatNothingCanHaveMeasuredIsLeftOutAlone() throws {
    var script = try Script()
    try script.metrics("d0", at: 1, frames: 10, joules: 5)
    let root = "martlet/1/default/"
    let good = String(
      decoding: try EnergyMetric(
        epoch: 1, sequence: 9, intervalMilliseconds: 1000, source: "rapl", joules: 7, watts: 7,
        frames: 10
      ).payload(), as: UTF8.self)
    for (old, new) in [
      ("\"interval_ms\":1000.0", "\"interval_ms\":1e-310"),
      ("\"interval_ms\":1000.0", "\"interval_ms\":1e308"), ("\"joules\":7.0", "\"joules\":1e300"),
      ("\"watts\":7.0", "\"watts\":-1"), ("\"frames\":10", "\"frames\":1e19"),
    ] {
      let range = try #require(good.firstRange(of: old), "\(old) in \(good)")
      let bad = good[..<range.lowerBound] + new + good[range.upperBound...]
      script.builder.add(
        topic: root + "metric/d0/energy", payload: Array(bad.utf8), time: Script.nanoseconds(2))
    }
    script.builder.add(
      topic: root + "metric/d0/energy", payload: Array(good.utf8), time: Script.nanoseconds(2))
    let report = script.builder.report
    #expect(report.input.unreadable == ["metric/energy": 5])
    #expect(report.devices.first?.figures.energy?.joules == 12)
    #expect(
      report.notes.contains { $0.hasPrefix("5 messages of metric/energy could not be used") },
      "\(report.notes)")
    #expect(report.notes.contains { $0.hasSuffix("the first: interval_ms 1e-310") })
  }

  /// Messages of the right form with the most extreme numbers that JSON can hold.
  @Test(arguments: 0..<8) func everyReportIsFinite(_ round: Int) throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    let hostile = [
      "-1", "1e-310", "5e-324", "-5e-324", "1e12", "1e300", "1.7976931348623157e308", "-1e308",
      "18446744073709551615", "9223372036854775807", "1e999", "null", "\"1\"",
    ]
    func one(of numbers: [String]) -> String {
      (Int.random(in: 0..<25, using: &random) == 0 ? hostile : numbers)
        .randomElement(using: &random) ?? "0"
    }
    /// Times and the like; counts; counts that may be very large.
    func measure() -> String {
      one(of: ["0", "-0.0", "1e-18", "1e-3", "1", "1e11", "999999999999"])
    }
    func count() -> String { one(of: ["0", "1", "10", "1000", "1073741824"]) }
    func large() -> String { one(of: ["0", "1", "1000000", "9007199254740991"]) }
    func object(
      _ measures: [String] = [], counts: [String] = [], large names: [String] = [],
      interval: Bool = false
    ) -> String {
      let fields =
        measures.map { "\"\($0)\":\(measure())" } + counts.map { "\"\($0)\":\(count())" }
        + names.map { "\"\($0)\":\(large())" }
        + (interval ? ["\"interval_ms\":" + one(of: ["0", "0.001", "1000", "999999999999"])] : [])
      return "{" + fields.joined(separator: ",")
    }
    var builder = ReportBuilder(root: try TopicRoot(deployment: "default"))
    for n in 0..<20_000 {
      let device = "d\(Int.random(in: 0..<3, using: &random))"
      let head = ",\"epoch\":1,\"seq\":\(n)"
      let text: String
      let topic: String
      switch n % 7 {
      case 0:
        topic = "metric/\(device)/energy"
        text =
          object(["joules", "watts"], large: ["frames", "failed_readings"], interval: true) + head
          + ",\"source\":\"rapl\"}"
      case 1:
        topic = "metric/\(device)/system"
        text =
          object(["cpu_ms", "clock_mhz"], counts: [], interval: true) + head
          + ",\"temperature_celsius\":" + one(of: ["-273", "21.5", "1000"]) + "}"
      case 2:
        topic = "metric/\(device)/memory"
        text =
          object(
            counts: [
              "resident_bytes", "peak_resident_bytes", "weight_bytes", "arena_bytes", "queue_bytes",
            ], interval: true) + head + "}"
      case 3:
        topic = "metric/\(device)/frame"
        text =
          object(
            ["compute_ms", "wait_ms", "send_ms", "receive_ms"],
            large: ["frames", "frames_degraded", "frames_dropped", "sent_bytes", "received_bytes"],
            interval: true) + head
          + ",\"fills\":{\"lost\":\(large())},\"drops\":{},\"stages\":[{\"layer\":\"conv\",\"whole\":"
          + object(["compute_ms", "send_ms", "wait_ms"], large: ["frames"])
          + "},\"receive_ms\":\(measure()),\"sent_bytes\":\(large()),\"received_bytes\":0,\"fills\":{}}]}"
      case 4:
        topic = "heartbeat/\(device)"
        text = object(counts: ["queue"], large: ["frame", "rss_bytes"]) + head + "}"
      case 5:
        topic = "presence/\(device)"
        text =
          object(large: ["epoch"]) + ",\"heartbeat_ms\":" + one(of: ["10", "60000"])
          + ",\"state\":\"ready\",\"version\":\"1\"}"
      default:
        topic = "result/c1"
        text =
          object(["latency_ms"], counts: ["filled_neurons", "label", "expected"], large: ["frame"])
          + head
          + ",\"confidence\":1,\"top5\":[],\"degraded\":[],\"present\":[],\"alive\":[\"d0\"]}"
      }
      builder.add(
        topic: "martlet/1/default/" + topic, payload: Array(text.utf8),
        time: UInt64(n) * 10_000_000)
    }
    let report = builder.report
    let taken = 20_000 - report.input.unreadable.values.reduce(0, +)
    #expect(taken > 8000, "seed \(seed): only \(taken) were taken")
    #expect(report.input.unreadable.count == 7, "seed \(seed)")
    // JSON has neither infinity nor NaN, so that encoding is the proof.
    let text = try JSON.encodeString(report)
    #expect(try FlightReport(json: Array(text.utf8), source: "text") == report, "seed \(seed)")
  }
}
