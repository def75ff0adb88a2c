import JSONCoding
import Processes
import Recording
import TensorFiles
import Testing
import WireProtocol

/// A recording of two devices that answer for twenty seconds, one of which is lost for ten.
private func record(
  _ workplace: Workplace, _ name: String, method: String = "lop", named methodName: String = "lop"
) throws {
  let root = try TopicRoot(deployment: "default")
  var writer = try RecordWriter(workplace.path(name))
  func send(_ topic: Topic, _ message: some WireMessage, at seconds: Double) throws {
    try writer.append(
      RecordedMessage(
        time: 1_700_000_000_000_000_000 + UInt64(seconds * 1e9), topic: try root.path(topic),
        payload: try message.payload()))
  }
  for device in ["d0", "d1"] {
    var description = DeviceDescription(
      version: "1", methods: [], plan: "plan-1", parts: [],
      hardware: .init(architecture: "aarch64", cores: 4, memoryBytes: 1 << 30, system: "Linux"))
    description.model = "alexnet <i>"
    description.method = method
    description.methodName = methodName
    try send(.description(device: device), description, at: 0)
    let presence = Presence(
      state: .ready, epoch: 1, heartbeatMilliseconds: 500, version: "1")
    try send(.presence(device: device), presence, at: 0)
  }
  for second in 0..<20 {
    let isLost = second >= 10
    for frame in 0..<10 {
      let number = UInt64(second * 10 + frame + 1)
      var result = FrameResult(
        frame: number, label: frame == 0 ? 2 : 1, top5: [.init(label: 1, confidence: 1)],
        confidence: 1, latencyMilliseconds: 10 + Double(frame),
        degraded: isLost ? [.init(layer: "conv", device: "d1", reason: .lost)] : [])
      result.epoch = 3
      result.sequence = number
      result.truth = 1
      result.alive = isLost ? ["d0"] : ["d0", "d1"]
      try send(.result(client: "c1"), result, at: Double(second) + Double(frame) / 10)
    }
    for device in isLost ? ["d0"] : ["d0", "d1"] {
      let beat = Heartbeat(
        epoch: 1, sequence: UInt64(second), frame: 1, queue: 0, residentBytes: 1000)
      try send(.heartbeat(device: device), beat, at: Double(second) + 0.95)
      try send(
        .metric(device: device, kind: "energy"),
        EnergyMetric(
          epoch: 1, sequence: UInt64(second), intervalMilliseconds: 1000, source: "estimate",
          joules: 2, watts: 2, frames: 10), at: Double(second) + 0.97)
      var work = FrameMetric(
        epoch: 1, sequence: UInt64(second), intervalMilliseconds: 1000)
      work.frames = 10
      work.computeMilliseconds = 30
      work.waitMilliseconds = 60
      work.fills = isLost ? ["lost": 10] : [:]
      var stage = StageMetric(layer: "conv")
      let times = StageMetric.Work(
        frames: 10, computeMilliseconds: 30, sendMilliseconds: 1, waitMilliseconds: 60)
      if isLost { stage.degraded = times } else { stage.whole = times }
      work.stages = [stage]
      try send(.metric(device: device, kind: "frame"), work, at: Double(second) + 0.98)
      try send(
        .metric(device: device, kind: "memory"),
        MemoryMetric(
          epoch: 1, sequence: UInt64(second), intervalMilliseconds: 1000,
          residentBytes: 19_000_000, peakResidentBytes: 20_000_000, weightBytes: 1_000_000,
          arenaBytes: 200_000, queueBytes: 0), at: Double(second) + 0.99)
    }
  }
  try writer.finish()
}

extension JSONValue {
  /// A member of a member, or an element of an array by its number.
  subscript(path path: String...) -> JSONValue? {
    path.reduce(self) { value, name in
      if case .array(let elements)? = value, let index = Int(name) {
        return elements.indices.contains(index) ? elements[index] : nil
      }
      return value?[name]
    }
  }
}

@Suite struct ReportCommandTests {
  @Test func everyFormOfAReport() throws {
    try Workplace.with { workplace in
      try record(workplace, "a.rec")
      let json = try workplace.run("report", "--from", "a.rec", "--json")
      #expect(json.status == .exited(0), "\(json.error)")
      let report = try #require(json.json.first ?? nil)
      #expect(report["format"] == .string("martlet-report") && report["version"] == .integer(1))
      #expect(report[path: "runs", "0", "total", "top1", "correct"] == .integer(180))
      #expect(report[path: "runs", "0", "total", "frames"] == .integer(200))
      #expect(report[path: "runs", "0", "phases", "1", "fills", "lost"] == .integer(100))
      #expect(report[path: "devices", "0", "figures", "energy", "joules"] == .number(40))
      #expect(report[path: "maximum", "joules_per_image"] == .number(0.2))
      #expect(report[path: "maximum", "energy_is_estimated"] == .bool(true))
      #expect(report[path: "maximum", "peak_memory_bytes"] == .integer(20_000_000))

      let text = try workplace.run("report", "--from", "a.rec")
      #expect(text.status == .exited(0), "\(text.error)")
      for word in ["90.0 % (85.1 to 93.4)", "~0.2000", "20.0 MB", "lost 100", "estimate"] {
        #expect(text.output.contains(word), "\(word) in \(text.output)")
      }
      let files = ["report", "--from", "a.rec", "--html", "a.html", "--prometheus", "a.prom"]
      let written = try workplace.run(files)
      #expect(written.status == .exited(0), "\(written.error)")
      #expect(written.output == "wrote a.html and a.prom\n", "and no tables")
      let again = try workplace.run(files)
      #expect(again.status == .exited(64) && again.error.contains("--force"), "\(again.error)")
      let markdown = try workplace.run(files + ["--markdown", "--force"])
      #expect(markdown.output.contains("| --- |") && markdown.output.contains("### Devices"))
      let csv = try workplace.run("report", "--from", "a.rec", "--csv").output
      let lines = csv.split(separator: "\n")
      #expect(lines.first == "run,phase,device,stage,figure,unit,value,low,high")
      #expect(lines.contains("c1,all,,,frames,1,200.0,,"))
      #expect(lines.contains("c1,d0 d1,d1,,energy,J,18.0,,"), "its first second began too early")
      try checkHTML(try FileSystem.readText(workplace.path("a.html")))
      try checkPrometheus(try FileSystem.readText(workplace.path("a.prom")))
    }
  }

  /// Whatever is published, no form of the report holds what is no number.
  @Test func hostileFiguresSpoilNoReport() throws {
    try Workplace.with { workplace in
      try record(workplace, "a.rec")
      var writer = try RecordWriter(workplace.path("b.rec"))
      let root = "martlet/1/default/"
      for (number, (topic, payload)) in [
        (
          "metric/d0/energy",
          #"{"epoch":1,"seq":90,"interval_ms":1e-310,"source":"rapl","joules":2,"watts":2,"#
            + #""frames":10,"failed_readings":0}"#
        ),
        (
          "metric/d0/energy",
          #"{"epoch":1,"seq":91,"interval_ms":1000,"source":"rapl","joules":9e300,"watts":2,"#
            + #""frames":10,"failed_readings":0}"#
        ),
        (
          "metric/d0/system",
          #"{"epoch":1,"seq":1,"interval_ms":1e-310,"cpu_ms":3}"#
        ),
        (
          "result/c1",
          #"{"epoch":3,"seq":500,"frame":1,"label":1,"top5":[],"confidence":1,"#
            + #""latency_ms":1.7e308,"degraded":[],"filled_neurons":0,"present":[],"#
            + #""alive":["d0","d1"]}"#
        ),
        (
          "heartbeat/d0", #"{"epoch":1,"seq":1e300,"frame":1,"queue":0,"rss_bytes":0}"#
        ),
        (
          "presence/d0",
          #"{"state":"ready","epoch":1,"heartbeat_ms":1e-310,"version":"\u001b[31m"}"#
        ),
      ].enumerated() {
        try writer.append(
          RecordedMessage(
            time: 1_700_000_030_000_000_000 + UInt64(number), topic: root + topic,
            payload: Array(payload.utf8)))
      }
      try writer.finish()
      let files = ["report", "--from", "a.rec", "b.rec"]
      let json = try workplace.run(files + ["--json"])
      #expect(json.status == .exited(0), "\(json.error)")
      let report = try #require(json.json.first ?? nil)
      #expect(report[path: "input", "unreadable", "metric/energy"] == .integer(2))
      #expect(report[path: "input", "unreadable", "metric/system"] == .integer(1))
      for kind in ["result", "heartbeat", "presence"] {
        #expect(report[path: "input", "unreadable", kind] == .integer(1), "\(kind)")
      }
      #expect(report[path: "devices", "0", "figures", "energy", "joules"] == .number(40))
      #expect(report[path: "runs", "0", "total", "frames"] == .integer(200))
      let outputs = try [[], ["--csv"], ["--markdown"]].map { try workplace.run(files + $0).output }
      let made = try workplace.run(files + ["--html", "b.html", "--prometheus", "b.prom"])
      #expect(made.status == .exited(0), "\(made.error)")
      let all =
        outputs + [json.output]
        + (try ["b.html", "b.prom"].map { try FileSystem.readText(workplace.path($0)) })
      for text in all {
        let words = text.lowercased().split { !$0.isLetter }
        #expect(!words.contains("inf") && !words.contains("nan") && !text.contains("\u{1B}"))
      }
      #expect(outputs[0].contains("2 messages of metric/energy could not be used"), "\(outputs[0])")
    }
  }

  private func checkHTML(_ html: String) throws {
    #expect(html.contains("<title>Martlet report: default</title>"))
    #expect(html.contains("alexnet &lt;i&gt;") && !html.contains("<i>"))
    #expect(!html.contains("{{") && !html.contains("<script"))
    // Nothing is fetched: the only addresses are names of XML.
    let addresses = html.split(separator: "http").dropFirst().filter {
      !$0.hasPrefix("://www.w3.org/2000/svg\"")
    }
    #expect(addresses.isEmpty, "\(addresses)")
    let charts = html.split(separator: "<svg").count - 1
    #expect(charts == 7)
    let ids = html.split(separator: " id=\"").dropFirst().map { $0.prefix { $0 != "\"" } }
    #expect(Set(ids).count == ids.count && ids.count == 2 * charts, "\(ids)")
    for title in ["Accuracy by phase", "A degraded frame with d0", "Presence", "Latency"] {
      #expect(html.contains(">\(title)"), "\(title)")
    }
    #expect(html.contains("prefers-color-scheme: dark") && html.contains("@media print"))
  }

  private func checkPrometheus(_ text: String) throws {
    #expect(text.contains("martlet_energy_joules_total{device=\"d0\",source=\"estimate\"} 40.0\n"))
    #expect(text.contains("martlet_answers_correct_total{client=\"c1\",epoch=\"3\"} 180.0\n"))
    #expect(text.contains("martlet_up{device=\"d1\"} 0.0"), "no heartbeat for ten seconds")
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      let name = line.prefix { $0 != "{" }
      #expect(name.allSatisfy { $0.isLowercase || $0 == "_" } && name.hasPrefix("martlet_"))
      #expect(Double(line.split(separator: " ").last ?? "") != nil, "\(line)")
    }
    // Each family is declared once, before its samples.
    let types = text.split(separator: "\n").filter { $0.hasPrefix("# TYPE") }
    #expect(Set(types).count == types.count)
  }

  @Test func reportsSideBySideAndBesideThePaper() throws {
    try Workplace.with { workplace in
      for (name, method) in [("full", "replicate"), ("robust", "robustdice")] {
        try record(workplace, name + ".rec", method: method + " t=1", named: method)
        let json = try workplace.run("report", "--from", name + ".rec", "--json")
        try workplace.write(Array(json.output.utf8), to: name + ".json")
      }
      let text = try workplace.run("report", "--compare", "full.json", "robust.json", "--paper")
      #expect(text.status == .exited(0), "\(text.error)")
      for word in [
        "Robust-SysConf2D", "0.159 (0.89)", "48.2 (1.04)", "99.3 (0.66)", "0.2000 (1.00)",
      ] {
        #expect(text.output.contains(word), "\(word) in \(text.output)")
      }
      let json = try workplace.run("report", "--compare", "full.json", "robust.json", "--json")
      #expect(
        json.json.first??[path: "reports", "1", "max_joules_per_image", "ratio"] == .number(1))
      try workplace.write(Array("{\"format\":\"other\",\"version\":1}".utf8), to: "other.json")
      #expect(try workplace.run("report", "--compare", "other.json").status == .exited(65))
    }
  }

  @Test func damagedRecordingsAreReadAndTold() throws {
    try Workplace.with { workplace in
      try record(workplace, "a.rec")
      let whole = try workplace.read("a.rec")
      try workplace.write(Array(whole.dropLast(20)), to: "torn.rec")
      let torn = try workplace.run("report", "--from", "torn.rec", "--json")
      // The recording is so short that it is one block: nothing is left.
      #expect(torn.status == .exited(66) && torn.error.contains("not written to their end"))
      try workplace.write(whole + whole.dropFirst(16), to: "twice.rec")
      let twice = try workplace.run("report", "--from", "twice.rec", "--json")
      #expect(twice.status == .exited(0))
      #expect(twice.json.first??[path: "runs", "0", "total", "frames"] == .integer(200))
      #expect(twice.json.first??[path: "runs", "0", "sequence", "repeated"] == .integer(200))
      try workplace.write(whole + Array(repeating: 0xFF, count: 100), to: "noise.rec")
      let noise = try workplace.run("report", "--from", "noise.rec", "--json")
      #expect(noise.json.first??[path: "runs", "0", "total", "frames"] == .integer(200))
      #expect(noise.json.first??[path: "input", "damage", "0"] != nil)
      try workplace.write([], to: "empty.rec")
      #expect(try workplace.run("report", "--from", "empty.rec").status == .exited(65))
      #expect(try workplace.run("report", "--from", "none.rec").status == .exited(66))
      #expect(try workplace.run("report").status == .exited(64))
    }
  }
}
