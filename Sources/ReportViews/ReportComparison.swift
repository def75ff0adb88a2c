package import FlightReport
package import Tables

/// Several reports side by side, with ratios to the first.
package struct ReportComparison: Encodable {
  /// One report's figures.
  struct Row: Encodable {
    var name: String
    var model: String?
    var method: String?
    var devices: Int
    var frames: Int
    var accuracy: Double?
    var joulesPerImage: Figure
    var framesPerSecond: Figure
    var peakMemoryBytes: Figure
    var weightBytes: Figure
    var latencyP50: Figure
    var latencyP99: Figure
    var degradedFrames: Int

    private enum CodingKeys: String, CodingKey {
      case name, model, method, devices, frames, accuracy
      case joulesPerImage = "max_joules_per_image"
      case framesPerSecond = "frames_per_second"
      case peakMemoryBytes = "max_peak_memory_bytes"
      case weightBytes = "max_weight_bytes"
      case latencyP50 = "latency_p50_ms"
      case latencyP99 = "latency_p99_ms"
      case degradedFrames = "degraded_frames"
    }
  }

  /// A figure and its ratio to that of the first report.
  struct Figure: Encodable {
    var value: Double?
    var ratio: Double?

    init(_ value: Double?, _ first: Double?) {
      self.value = value
      if let value, let first, first > 0 { ratio = value / first }
    }

    func text(_ format: (Double) -> String) -> String {
      guard let value else { return "-" }
      return format(value) + (ratio.map { " (\($0.formatted(2)))" } ?? "")
    }
  }

  var reports: [Row]

  /// Sets reports beside the first one.
  package init(_ reports: [(name: String, report: FlightReport)]) {
    func latency(_ report: FlightReport) -> FlightReport.Latency? {
      // The run with the most answers stands for the report.
      report.runs.max { $0.total.frames < $1.total.frames }?.total.latency
    }
    let first = reports.first?.report
    self.reports = reports.map { name, report in
      let (maximum, base) = (report.maximum, first?.maximum)
      let labelled = report.runs.compactMap(\.total.top1)
      let of = labelled.reduce(0) { $0 + $1.of }
      return Row(
        name: name, model: report.model, method: report.method, devices: report.devices.count,
        frames: report.runs.reduce(0) { $0 + $1.total.frames },
        accuracy: of > 0 ? Double(labelled.reduce(0) { $0 + $1.correct }) / Double(of) : nil,
        joulesPerImage: Figure(maximum.joulesPerImage, base?.joulesPerImage),
        framesPerSecond: Figure(maximum.framesPerSecond, base?.framesPerSecond),
        peakMemoryBytes: Figure(
          maximum.peakMemoryBytes.map(Double.init), base?.peakMemoryBytes.map(Double.init)),
        weightBytes: Figure(
          maximum.weightBytes.map(Double.init), base?.weightBytes.map(Double.init)),
        latencyP50: Figure(latency(report)?.p50, first.flatMap(latency)?.p50),
        latencyP99: Figure(latency(report)?.p99, first.flatMap(latency)?.p99),
        degradedFrames: report.runs.reduce(0) { $0 + $1.total.degradedFrames })
    }
  }

  /// For people.
  package var table: TitledTable {
    var table = TitledTable(
      "Reports side by side",
      [
        "report", "method", "devices", "frames", "top-1 %", "J/image", "frames/s", "peak memory",
        "weights", "p50 ms", "p99 ms", "degraded",
      ])
    table.rows = reports.map { row in
      [
        row.name, row.method ?? "-", "\(row.devices)", "\(row.frames)",
        row.accuracy.map { ($0 * 100).formatted(2) } ?? "-",
        row.joulesPerImage.text { $0.formatted(4) },
        row.framesPerSecond.text { $0.formatted(1) },
        row.peakMemoryBytes.text(\.asBytes), row.weightBytes.text(\.asBytes),
        row.latencyP50.text { $0.formatted(2) }, row.latencyP99.text { $0.formatted(2) },
        "\(row.degradedFrames)",
      ]
    }
    table.notes = ["in brackets the ratio to the first report; largest of any device"]
    return table
  }
}
