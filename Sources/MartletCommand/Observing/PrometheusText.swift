import FlightReport

/// A report in the text format that Prometheus's textfile collector reads, with names and units by the
/// conventions of OpenMetrics (<https://openmetrics.io>): base units, `_total` for what only grows.
struct PrometheusText {
  private var lines: [String] = []

  init(_ report: FlightReport) {
    let devices = report.devices
    family("martlet_up", "gauge", "Whether a device is ready and was heard from.") {
      devices.map {
        (["device": $0.name], $0.presence.last?.state == "ready" ? 1 : 0)
      }
    }
    family(
      "martlet_energy_joules_total", "counter",
      "Energy that devices said they used; the source estimate is no measurement."
    ) {
      devices.compactMap { device in
        device.figures.energy.map {
          (["device": device.name, "source": $0.sources.joined(separator: "+")], $0.joules)
        }
      }
    }
    figure("martlet_energy_joules_per_image", "gauge", "Energy for one frame.", devices) {
      $0.energy?.joulesPerImage
    }
    figure("martlet_power_watts", "gauge", "Mean power while there are frames.", devices) {
      $0.energy?.activeWatts
    }
    figure("martlet_resident_memory_peak_bytes", "gauge", "Peak resident memory.", devices) {
      ($0.memory?.peak).map(Double.init)
    }
    figure("martlet_weights_bytes", "gauge", "Weights held.", devices) {
      ($0.memory?.weights).map(Double.init)
    }
    figure("martlet_frames_total", "counter", "Frames computed.", devices) { Double($0.frames) }
    figure("martlet_frames_dropped_total", "counter", "Frames dropped whole.", devices) {
      Double($0.droppedFrames)
    }
    family("martlet_fills_total", "counter", "Parts that were missing and filled.") {
      devices.flatMap { device in
        device.figures.fills.sorted { $0.key < $1.key }.map {
          (["device": device.name, "reason": $0.key], Double($0.value))
        }
      }
    }
    family("martlet_messages_dropped_total", "counter", "Messages that devices did not use.") {
      devices.flatMap { device in
        device.figures.drops.sorted { $0.key < $1.key }.map {
          (["device": device.name, "reason": $0.key], Double($0.value))
        }
      }
    }
    answers(report.runs)
  }

  /// The file.
  var text: String { lines.joined(separator: "\n") + "\n" }

  private mutating func answers(_ runs: [FlightReport.Run]) {
    func labels(_ run: FlightReport.Run) -> [String: String] {
      ["client": run.client, "epoch": "\(run.epoch)"]
    }
    family("martlet_answers_total", "counter", "Answers of a client.") {
      runs.map { (labels($0), Double($0.total.frames)) }
    }
    family("martlet_answers_degraded_total", "counter", "Answers with something missing.") {
      runs.map { (labels($0), Double($0.total.degradedFrames)) }
    }
    family("martlet_answers_labelled_total", "counter", "Answers whose right class is known.") {
      runs.compactMap { run in run.total.top1.map { (labels(run), Double($0.of)) } }
    }
    family("martlet_answers_correct_total", "counter", "Answers that name the right class.") {
      runs.compactMap { run in run.total.top1.map { (labels(run), Double($0.correct)) } }
    }
    family("martlet_latency_seconds", "summary", "From sending a frame to its answer.") {
      runs.flatMap { run -> [([String: String], Double)] in
        guard let latency = run.total.latency else { return [] }
        return [("0.5", latency.p50), ("0.9", latency.p90), ("0.99", latency.p99)].map {
          (labels(run).merging(["quantile": $0.0]) { $1 }, $0.1 / 1e3)
        }
      }
    }
    for run in runs {
      guard let latency = run.total.latency else { continue }
      let count = Double(run.total.frames)
      lines.append(line("martlet_latency_seconds_sum", labels(run), latency.mean / 1e3 * count))
      lines.append(line("martlet_latency_seconds_count", labels(run), count))
    }
  }

  private mutating func figure(
    _ name: String, _ type: String, _ help: String, _ devices: [FlightReport.Device],
    _ value: (FlightReport.DeviceFigures) -> Double?
  ) {
    family(name, type, help) {
      devices.compactMap { device in value(device.figures).map { (["device": device.name], $0) } }
    }
  }

  /// Nothing at all without samples.
  private mutating func family(
    _ name: String, _ type: String, _ help: String,
    _ samples: () -> [(labels: [String: String], value: Double)]
  ) {
    let samples = samples()
    guard !samples.isEmpty else { return }
    lines += ["# HELP \(name) \(help)", "# TYPE \(name) \(type)"]
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
