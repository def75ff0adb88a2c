import Charts
import FlightReport
import Tables

/// The charts of a report.
struct ReportCharts {
  private let report: FlightReport

  init(_ report: FlightReport) { self.report = report }

  /// As SVG files; those for which there are no figures are left out.
  var svgs: [String] {
    ([accuracy, energy, memory, latency] + frames + [presence]).compactMap { $0 }
  }

  /// Runs with what is shown of them, so many that a chart can hold them.
  private var phases: [(name: String, phase: FlightReport.Phase)] {
    let several = report.runs.count > 1
    return Array(
      report.runs.enumerated().flatMap { number, run in
        run.phases.map { phase in
          let name = ReportCharts.name(phase.alive, of: report.devices.count)
          return (several ? "run \(number + 1): \(name)" : name, phase)
        }
      }.prefix(12))
  }

  /// Short where nobody is missing.
  static func name(_ alive: [String]?, of devices: Int) -> String {
    guard let alive else { return "all" }
    return alive.count == devices ? "all \(devices)" : ReportFormat.alive(alive)
  }

  private var accuracy: String? {
    let labelled = phases.filter { $0.phase.top1 != nil }
    guard !labelled.isEmpty else { return nil }
    func bars(
      _ proportion: (FlightReport.Phase) -> FlightReport.Proportion?
    ) -> [BarChart.Bar?] {
      labelled.map { _, phase in
        proportion(phase).map {
          BarChart.Bar($0.accuracy * 100, low: $0.low * 100, high: $0.high * 100)
        }
      }
    }
    return BarChart(
      title: "Accuracy by phase",
      description: "Accuracy by the devices that were counted on, with 95 % intervals.",
      valueLabel: "correct, %", groups: labelled.map(\.name),
      series: [
        .init(name: "top-1", bars: bars(\.top1)), .init(name: "top-5", bars: bars(\.top5)),
      ]
    ).svg
  }

  private var energy: String? {
    let devices = report.devices.filter { $0.figures.energy?.joulesPerImage != nil }
    guard !devices.isEmpty else { return nil }
    let note = report.maximum.isEnergyEstimated ? " (an estimate)" : ""
    return BarChart(
      title: "Energy per image by device\(note)",
      description: "Millijoules for one image, over the seconds in which there were frames.",
      valueLabel: "mJ per image", groups: devices.map(\.name),
      series: [
        .init(
          name: "energy\(note)",
          bars: devices.map { .init(($0.figures.energy?.joulesPerImage ?? 0) * 1e3) })
      ], decimals: 2
    ).svg
  }

  private var memory: String? {
    let devices = report.devices.filter { $0.figures.memory != nil }
    guard !devices.isEmpty else { return nil }
    func series(_ name: String, _ bytes: (FlightReport.Memory) -> Int) -> BarChart.Series {
      .init(
        name: name,
        bars: devices.map { $0.figures.memory.map { .init(Double(bytes($0)) / 1e6) } })
    }
    return BarChart(
      title: "Memory by device", description: "Megabytes of each device's worker.",
      valueLabel: "MB", groups: devices.map(\.name),
      series: [
        series("peak resident", \.peak), series("weights", \.weights),
        series("working memory", \.arena),
      ], decimals: 2
    ).svg
  }

  private var latency: String? {
    let phases = phases.filter { $0.phase.latency != nil }
    guard !phases.isEmpty else { return nil }
    return ScatterChart(
      title: "Latency",
      description: "Which share of the frames was answered within which time.",
      xLabel: "milliseconds from sending a frame to its answer", yLabel: "frames answered, %",
      panels: [.init(name: "")],
      series: phases.map { name, phase in
        .init(
          name: name, isJoined: true,
          points: [
            phase.latency?.quantiles.map { .init($0.milliseconds, $0.fraction * 100) } ?? []
          ])
      }
    ).svg
  }

  private static let stageKinds = ["computing", "sending", "waiting for parts"]

  /// At most so many sets of devices get a picture of a frame.
  private static let shownGroups = 3

  /// Frames stage by stage: those from which nothing was missing, by the devices that were counted on,
  /// and those of the largest set from which something ever was.
  private var frames: [String?] {
    let groups = StageGroup.groups(of: report).prefix(ReportCharts.shownGroups)
    return groups.map { frame($0, isDegraded: false) }
      + [groups.lazy.compactMap { frame($0, isDegraded: true) }.first]
  }

  /// The mean frame of each device, stage after stage.
  private func frame(_ group: StageGroup, isDegraded: Bool) -> String? {
    let sort: WritableKeyPath<FlightReport.Stage, FlightReport.Times?> =
      isDegraded ? \.degraded : \.whole
    let rows = group.devices.compactMap { device -> TimelineChart.Row? in
      var time = 0.0
      var spans: [TimelineChart.Span] = []
      for stage in StageGroup.frame(device.stages, sort) {
        guard let times = stage[keyPath: sort] else { continue }
        for (kind, length) in [times.compute, times.send, times.wait].enumerated() {
          spans.append(
            .init(
              start: time, end: time + length, kind: kind,
              name: "\(stage.layer) \(ReportCharts.stageKinds[kind]) \(length.formatted(3)) ms"))
          time += length
        }
      }
      return spans.isEmpty ? nil : .init(name: device.name, spans: spans)
    }
    guard !rows.isEmpty else { return nil }
    let whom = group.alive.map { " with \(ReportCharts.name($0, of: report.devices.count))" } ?? ""
    var description =
      isDegraded
      ? "Mean times of frames from which something was missing."
      : "Mean times of frames from which nothing was missing."
    if let median = group.medianLatency {
      description += " Half of the answers took at most \(median.formatted(1)) ms."
    }
    return TimelineChart(
      title: (isDegraded ? "A degraded frame" : "A typical frame") + whom,
      description: description, xLabel: "milliseconds, stage by stage",
      kinds: ReportCharts.stageKinds, rows: rows
    ).svg
  }

  private var presence: String? {
    let states = ["ready", "starting", "draining", "silent", "offline", "lost"]
    let rows = report.devices.compactMap { device -> TimelineChart.Row? in
      guard !device.presence.isEmpty else { return nil }
      return .init(
        name: device.name,
        spans: device.presence.map {
          .init(
            start: max(0, $0.startSeconds), end: $0.endSeconds,
            kind: states.firstIndex(of: $0.state) ?? states.count - 1,
            name: "\(device.name) \($0.state)")
        })
    }
    guard !rows.isEmpty else { return nil }
    return TimelineChart(
      title: "Presence", description: "In which state each device was, in seconds.",
      xLabel: "seconds", kinds: states, rows: rows
    ).svg
  }
}
