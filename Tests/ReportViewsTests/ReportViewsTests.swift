import FlightReport
import JSONCoding
import ReportViews
import Tables
import Testing

/// A report of two devices, one of which was lost for a while, in which every figure is another number.
private func report(
  method: String = "coded, tolerates 1", named methodName: String = "coded"
) throws -> FlightReport {
  let device = { (name: String, base: Int) in
    """
    {"device":"\(name)","seconds":\(base).5,"frames":\(base + 1),"degraded_frames":\(base + 2),
     "dropped_frames":\(base + 3),"energy":{"joules":\(base + 4),"joules_per_image":0.\(base),
     "active_watts":\(base + 5),"max_watts":\(base + 6),"sources":["estimate"],"intervals":9,
     "failed_readings":0},"memory":{"peak_resident_bytes":\(base)000001,
     "max_resident_bytes":\(base)000002,"weight_bytes":\(base)000003,"arena_bytes":\(base)000004,
     "max_queue_bytes":\(base)000005},"bytes_out_per_image":\(base)007,"bytes_in_per_image":\(base)008,
     "shares":{"computing":0.5,"waiting":0.3,"communicating":0.2},"fills":{"lost":3},
     "drops":{"stale":2},"cpu_share":0.25,"max_temperature_celsius":61.5,"min_clock_mhz":1800}
    """
  }
  let stages = """
    [{"layer":"conv","whole":{"frames":5,"compute_ms":3,"send_ms":1,"wait_ms":2},
      "receive_ms":0.5,"bytes_out":100,"bytes_in":200,"fills":{}},
     {"layer":"fc","whole":{"frames":5,"compute_ms":4,"send_ms":1,"wait_ms":1},
      "degraded":{"frames":2,"compute_ms":40,"send_ms":10,"wait_ms":10},
      "receive_ms":0.5,"bytes_out":100,"bytes_in":200,"fills":{"lost":1}}]
    """
  let phase = { (alive: String, frames: Int) in
    """
    {\(alive)"seconds":9.5,"frames":\(frames),"frames_per_second":12.25,
     "top1":{"correct":80,"of":100,"accuracy":0.8,"low":0.711,"high":0.867},
     "top5":{"correct":99,"of":100,"accuracy":0.99,"low":0.945,"high":0.998},
     "latency":{"mean_ms":14.5,"p50_ms":12.5,"p90_ms":20.25,"p99_ms":31.5,"max_ms":42.75,
     "quantiles":[]},"degraded_frames":7,"fills":{"lost":7},"fills_by_device":{"d1":7},
     "filled_neurons":28,"devices":[\(device("d0", 3))],"stages_by_device":{"d0":\(stages)},
     "notes":[]}
    """
  }
  let sequence = #"{"received":1,"missing":0,"repeated":0,"reordered":0,"implausible":0}"#
  let text = """
    {"format":"martlet-report","version":1,"deployment":"default","start_unix_ms":1,"seconds":20,
     "model":"alexnet","method":"\(method)","method_name":"\(methodName)","plan":"p",
     "maximum":{"joules_per_image":0.4321,"energy_is_estimated":true,"frames_per_second":21.5,
     "peak_memory_bytes":5000001,"weight_bytes":5000003},
     "runs":[{"client":"c1","epoch":3,"start_s":0,"total":\(phase("", 150)),
     "phases":[\(phase(#""alive":["d0","d1"],"#, 100)),\(phase(#""alive":["d0"],"#, 50))],
     "stretches":[],"sequence":\(sequence)}],
     "devices":[\(["d0", "d1"].enumerated().map { number, name in
       """
       {"name":"\(name)","figures":\(device(name, number + 3)),"epochs":[],"stages":\(stages),
        "presence":[{"state":"ready","start_s":0,"end_s":20}]}
       """
     }.joined(separator: ","))],
     "input":{"messages":1,"bytes":1,"tensors":0,"foreign":0,"unreadable":{},"beyond_limits":0,
     "damage":[]},"notes":["a note"]}
    """
  return try FlightReport(json: Array(text.utf8), source: "test")
}

@Suite struct FigureTests {
  /// Every figure is the member of the JSON report that its path says.
  private func check<Subject: Encodable & Sendable>(
    _ figures: [Figure<Subject>], of subject: Subject
  ) throws {
    #expect(Set(figures.map(\.name)).count == figures.count, "a name stands twice")
    let document = try JSON.decode(
      JSONValue.self, from: Array(try JSON.encodeString(subject).utf8), source: "subject")
    for figure in figures {
      guard let path = figure.path else { continue }
      var value: JSONValue? = document
      for name in path.split(separator: ".") { value = value?[String(name)] }
      let number: Double? =
        switch value {
        case .number(let number): number
        case .integer(let number): Double("\(number)")
        default: nil
        }
      #expect(number != nil && number == figure.value(subject), "\(figure.name) at \(path)")
    }
  }

  @Test func figuresAreMembersOfTheJSONReport() throws {
    let report = try report()
    try check(Figure.all, of: report.maximum)
    try check(Figure.all, of: report.runs[0].phases[0])
    try check(Figure.all, of: report.devices[0].figures)
    try check(Figure.all, of: report.devices[0].stages[1])
  }

  @Test func membersOfADeviceAreInOneObjectInOrder() throws {
    let text = try JSON.encodeString(try report().devices[0].figures)
    let names = [
      "device", "seconds", "frames", "degraded_frames", "dropped_frames", "energy", "memory",
      "bytes_out_per_image", "bytes_in_per_image", "shares", "fills", "drops", "cpu_share",
      "max_temperature_celsius", "min_clock_mhz",
    ]
    let places = names.compactMap { text.firstRange(of: "\"\($0)\"")?.lowerBound }
    #expect(places.count == names.count && places == places.sorted(), "\(text)")
  }

  /// Every figure is in the CSV, and those that are for tables or Prometheus are there.
  private func check<Subject: Sendable>(
    _ figures: [Figure<Subject>], of subject: Subject, _ report: FlightReport
  ) {
    let csv = ReportCSV(report).text.split(separator: "\n")
    let prometheus = PrometheusText(report).text
    let tables = ReportTables(report).tables
    for figure in figures {
      guard let value = figure.value(subject) else {
        Issue.record("the report lacks \(figure.name)")
        continue
      }
      #expect(
        csv.contains { $0.contains(",\(figure.name),\(figure.unit.rawValue),\(value),") },
        "\(figure.name) is not in the CSV")
      if let column = figure.column {
        #expect(
          tables.contains { $0.header.contains(column.heading) },
          "\(column.heading) is in no table")
      }
      if let export = figure.export {
        let samples = prometheus.split(separator: "\n").filter { $0.hasPrefix(export.name + "{") }
        #expect(samples.contains { $0.hasSuffix(" \(value)") }, "\(export.name): \(samples)")
        #expect(
          prometheus.split(separator: "\n").count { $0 == "# TYPE \(export.name) \(export.kind)" }
            == 1)
      }
    }
  }

  @Test func figuresAreInEveryForm() throws {
    let report = try report()
    check(Figure.all, of: report.maximum, report)
    check(Figure.all, of: report.runs[0].total, report)
    check(Figure.all, of: report.devices[1].figures, report)
    check(Figure.all, of: report.devices[0].stages[1], report)
    let html = try HTMLReport(report).text
    for text in ["~0.4321", "21.5", "5.0 MB", "80.0 % (71.1 to 86.7)", "a note"] {
      #expect(html.contains(text), "\(text)")
    }
  }
}

@Suite struct ReportTablesTests {
  @Test func tablesFitAnyTerminal() throws {
    for table in ReportTables(try report()).tables {
      for width in [60, 80, 120] {
        let text = table.text(width: width)
        for line in text.split(separator: "\n") {
          #expect(VisibleText.width(String(line)) <= width, "\(width): \(line)")
        }
      }
    }
  }

  @Test func stagesAreThoseOfOneSetOfDevices() throws {
    let tables = ReportTables(try report()).tables.filter { $0.title.hasPrefix("Stages") }
    #expect(tables.count == 2 && tables[0].title.contains("d0 d1"))
    #expect(tables[0].rows.map { $0[0] } == ["conv", "fc"])
    #expect(
      tables[0].notes[1].contains("12.000 (12.000) ms; half of the answers took at most 12.5"))
  }

  @Test func notesAreTheReportsOwn() throws {
    let maximum = try #require(ReportTables(try report()).tables.first)
    #expect(maximum.notes.contains("a note") && maximum.rows[0][0] == "~0.4321")
  }
}

@Suite struct PaperTableTests {
  @Test(arguments: [
    ("replicate", "replicate", "QMR/TMR/DMR"), ("cdc", "cdc", "CDC-SysConf2D"),
    (
      "robustdice s1, threshold 0.25 for at most 2.00 copies", "robustdice", "Robust-SysConf2D"
    ),
    ("robustdicey, of another name", "robustdicey", "robustdicey, of another name"),
    ("lop", "lop", "lop"),
    // What is said for people decides nothing.
    ("replicate, or nearly so", "lop", "replicate, or nearly so"),
    ("every neuron everywhere", "replicate", "QMR/TMR/DMR"),
  ])
  func configurationsGoByTheMethodsName(
    _ method: String, _ methodName: String, _ configuration: String
  ) throws {
    let report = try report(method: method, named: methodName)
    let table = PaperTable([(name: "a", report: report)], network: nil).table
    #expect(table.rows[0][1] == configuration)
  }

  @Test func comparisonsShowRatios() throws {
    let one = try report()
    let table = ReportComparison([(name: "a", report: one), (name: "b", report: one)]).table
    #expect(table.rows[1].contains("0.4321 (1.00)"))
  }
}
