package import FlightReport
package import Tables

/// A report as tables: the largest figures first, then runs and phases, devices and stages.
package struct ReportTables {
  private let report: FlightReport

  /// The tables of a report.
  package init(_ report: FlightReport) { self.report = report }

  /// In this order.
  package var tables: [TitledTable] {
    var tables = [maximum]
    for run in report.runs { tables.append(phases(run)) }
    if !report.devices.isEmpty { tables += [devices, energyAndMemory] }
    for run in report.runs {
      for phase in run.phases where run.phases.count > 1 && !phase.devices.isEmpty {
        tables.append(devices(of: phase))
      }
    }
    return tables + StageGroup.groups(of: report).map(stages)
  }

  private var maximum: TitledTable {
    let columns = Figure.columns(.maximum, of: Figure<FlightReport.Maximum>.all)
    var table = TitledTable(
      "Largest of any device (deployment \(report.deployment), \(report.seconds.formatted(1)) s)",
      columns.map(\.heading) + ["answers"])
    table.rows = [
      columns.map { $0.text(report.maximum) }
        + ["\(report.runs.reduce(0) { $0 + $1.total.frames })"]
    ]
    if let model = report.model {
      table.notes.append(
        "model \(model), method \(report.method ?? "-"), plan \(report.plan ?? "-"), "
          + "\(report.devices.count) devices")
    }
    table.notes += report.notes
    return table
  }

  private func phases(_ run: FlightReport.Run) -> TitledTable {
    let columns = Figure.columns(.phases, of: Figure<FlightReport.Phase>.all)
    var table = TitledTable(
      "Run \(run.client)",
      ["devices counted on"] + columns.map(\.heading) + ["parts missing"])
    func add(_ name: String, _ phase: FlightReport.Phase) {
      table.rows.append(
        [name] + columns.map { $0.text(phase) } + [ReportFormat.counts(phase.fills)])
      for note in phase.notes { table.notes.append("\(name): \(note)") }
    }
    for phase in run.phases { add(ReportFormat.alive(phase.alive), phase) }
    if run.phases.count > 1 { add("all", run.total) }
    table.notes.append("accuracies with 95 % intervals")
    return table
  }

  /// What devices do, with what is no single figure behind it.
  private static func work(_ title: String, _ devices: [FlightReport.DeviceFigures]) -> TitledTable
  {
    let columns = Figure.columns(.work, of: Figure<FlightReport.DeviceFigures>.all)
    var table = TitledTable(
      title, ["device"] + columns.map(\.heading) + ["% compute / wait / comm", "fills"])
    table.rows = devices.map { figures in
      [figures.device] + columns.map { $0.text(figures) }
        + [ReportFormat.shares(figures.work.shares), ReportFormat.counts(figures.work.fills)]
    }
    return table
  }

  private var devices: TitledTable {
    var table = ReportTables.work("Devices", report.devices.map(\.figures))
    table.notes = ["energy and watts over the seconds in which there were frames"]
    for device in report.devices where device.epochs.count > 1 {
      table.notes.append("\(device.name): \(device.epochs.count) runs added up")
    }
    for device in report.devices {
      for epoch in device.epochs {
        let missing = epoch.sequences.values.reduce(0) { $0 + $1.missing }
        guard missing > 0 else { continue }
        table.notes.append("\(device.name): \(missing) messages missing, so sums are too small")
      }
    }
    return table
  }

  private func devices(of phase: FlightReport.Phase) -> TitledTable {
    var table = ReportTables.work(
      "Devices while \(ReportFormat.alive(phase.alive)) were counted on", phase.devices)
    table.notes = ["of seconds that lie wholly within the phase"]
    return table
  }

  private var energyAndMemory: TitledTable {
    let columns = Figure.columns(.resources, of: Figure<FlightReport.DeviceFigures>.all)
    var table = TitledTable(
      "Energy and memory",
      ["device"] + columns.map(\.heading) + ["energy from", "messages dropped"])
    table.rows = report.devices.map { device in
      [device.name] + columns.map { $0.text(device.figures) }
        + [
          device.figures.energy?.sources.joined(separator: " ") ?? ReportFormat.none,
          ReportFormat.counts(device.figures.work.drops),
        ]
    }
    return table
  }

  private func stages(_ group: StageGroup) -> TitledTable {
    let whom = group.alive.map { " while \(ReportFormat.alive($0)) were counted on" } ?? ""
    let all = Figure<FlightReport.Stage>.all
    let columns = Figure.columns(.stages, of: all) + Figure.columns(.degradedStages, of: all)
    var table = TitledTable(
      "Stages\(whom): milliseconds per frame", ["layer"] + columns.map(\.heading) + ["fills"])
    table.rows = group.layers.map { layer, stages in
      [layer] + columns.map { $0.text(over: stages) }
        + [ReportFormat.counts(StageGroup.fills(stages))]
    }
    table.notes = [
      "mean over devices (slowest device); compute, send and wait of frames that lack nothing"
    ]
    let frames = group.frameMilliseconds
    if !frames.isEmpty {
      let median = group.medianLatency.map {
        "; half of the answers took at most \($0.formatted(1)) ms"
      }
      let text = FigureFold.meanAndMaximum.text(frames, .decimals(3))
      table.notes.append("all stages together \(text) ms\(median ?? "")")
    }
    return table
  }
}
