package import FlightReport

/// A report in the text format that Prometheus's textfile collector reads, with names and units by the
/// conventions of OpenMetrics (<https://openmetrics.io>): base units, `_total` for what only grows.
package struct PrometheusText {
  private var lines: [String] = []

  /// Writes the figures that are exported, those of devices and then those of answers.
  package init(_ report: FlightReport) {
    let devices = report.devices
    family("martlet_up", "gauge", "Whether a device is ready and was heard from.") {
      devices.map { (["device": $0.name], $0.presence.last?.state == "ready" ? 1 : 0) }
    }
    families(devices.map { (["device": $0.name], $0.figures) }, Figure.all)
    family("martlet_fills_total", "counter", "Parts that were missing and filled.") {
      PrometheusText.counts(devices, \.figures.work.fills)
    }
    family("martlet_messages_dropped_total", "counter", "Messages that devices did not use.") {
      PrometheusText.counts(devices, \.figures.work.drops)
    }
    let runs = report.runs
    families(runs.map { (PrometheusText.labels($0), $0.total) }, Figure.all)
    latency(runs)
  }

  /// The file.
  package var text: String { lines.joined(separator: "\n") + "\n" }

  private static func labels(_ run: FlightReport.Run) -> [String: String] {
    ["client": run.client, "epoch": "\(run.epoch)"]
  }

  private static func counts(
    _ devices: [FlightReport.Device], _ counts: (FlightReport.Device) -> [String: UInt64]
  ) -> [(labels: [String: String], value: Double)] {
    devices.flatMap { device in
      counts(device).sorted { $0.key < $1.key }.map {
        (["device": device.name, "reason": $0.key], Double($0.value))
      }
    }
  }

  /// A family for each figure that is exported.
  private mutating func families<Subject>(
    _ subjects: [(labels: [String: String], subject: Subject)], _ figures: [Figure<Subject>]
  ) {
    for figure in figures {
      guard let export = figure.export else { continue }
      family(export.name, export.kind, export.help) {
        subjects.compactMap { labels, subject in
          figure.value(subject).map {
            (labels.merging(export.labels(subject)) { $1 }, $0)
          }
        }
      }
    }
  }

  private mutating func latency(_ runs: [FlightReport.Run]) {
    family("martlet_latency_seconds", "summary", "From sending a frame to its answer.") {
      runs.flatMap { run -> [([String: String], Double)] in
        guard let latency = run.total.latency else { return [] }
        return [("0.5", latency.p50), ("0.9", latency.p90), ("0.99", latency.p99)].map {
          (PrometheusText.labels(run).merging(["quantile": $0.0]) { $1 }, $0.1 / 1e3)
        }
      }
    }
    for run in runs {
      guard let latency = run.total.latency else { continue }
      let count = Double(run.total.frames)
      let labels = PrometheusText.labels(run)
      lines.append(line("martlet_latency_seconds_sum", labels, latency.mean / 1e3 * count))
      lines.append(line("martlet_latency_seconds_count", labels, count))
    }
  }

  /// Nothing at all without samples.
  private mutating func family(
    _ name: String, _ kind: String, _ help: String,
    _ samples: () -> [(labels: [String: String], value: Double)]
  ) {
    let samples = samples()
    guard !samples.isEmpty else { return }
    lines += ["# HELP \(name) \(help)", "# TYPE \(name) \(kind)"]
    lines += samples.map { line(name, $0.labels, $0.value) }
  }

  private func line(_ name: String, _ labels: [String: String], _ value: Double) -> String {
    let pairs = labels.sorted { $0.key < $1.key }.map {
      "\($0.key)=\"\(PrometheusText.escape($0.value))\""
    }
    return "\(name){\(pairs.joined(separator: ","))} \(value)"
  }

  private static func escape(_ text: String) -> String {
    text.reduce(into: "") { result, character in
      switch character {
      case "\\": result += "\\\\"
      case "\"": result += "\\\""
      case "\n": result += "\\n"
      default: result.append(character)
      }
    }
  }
}
