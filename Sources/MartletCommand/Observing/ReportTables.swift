import FlightReport
import Tables

/// A report as tables: the largest figures first, then runs and phases, devices and stages.
struct ReportTables {
  private let report: FlightReport

  init(_ report: FlightReport) { self.report = report }

  /// For terminals.
  var text: String { tables.map(\.text).joined(separator: "\n\n") }

  var tables: [TitledTable] {
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
    var table = TitledTable(
      "Largest of any device (deployment \(report.deployment), \(report.seconds.formatted(1)) s)",
      ["energy J/image", "frames/s", "peak memory", "weights", "answers"])
    let maximum = report.maximum
    let energy = maximum.joulesPerImage.map {
      (maximum.isEnergyEstimated ? "~" : "") + $0.formatted(4)
    }
    table.rows = [
      [
        energy ?? "-", ReportFormat.number(maximum.framesPerSecond),
        ReportFormat.bytes(maximum.peakMemoryBytes), ReportFormat.bytes(maximum.weightBytes),
        "\(report.runs.reduce(0) { $0 + $1.total.frames })",
      ]
    ]
    if let model = report.model {
      table.notes.append(
        "model \(model), method \(report.method ?? "-"), plan \(report.plan ?? "-"), "
          + "\(report.devices.count) devices")
    }
    if maximum.isEnergyEstimated { table.notes.append("~ is an estimate from CPU time") }
    table.notes += report.notes.filter { !$0.hasPrefix("energy is an estimate") }
    return table
  }

  private func phases(_ run: FlightReport.Run) -> TitledTable {
    var table = TitledTable(
      "Run \(run.client)",
      [
        "devices counted on", "frames", "top-1", "top-5", "frames/s", "p50 ms", "p90 ms", "p99 ms",
        "max ms", "degraded", "parts missing",
      ])
    func add(_ name: String, _ phase: FlightReport.Phase) {
      let latency = phase.latency
      table.rows.append(
        [
          name, "\(phase.frames)", ReportFormat.proportion(phase.top1),
          ReportFormat.proportion(phase.top5), ReportFormat.number(phase.framesPerSecond),
          ReportFormat.number(latency?.p50), ReportFormat.number(latency?.p90),
          ReportFormat.number(latency?.p99), ReportFormat.number(latency?.maximum),
          "\(phase.degradedFrames)", ReportFormat.counts(phase.fills),
        ])
      for note in phase.notes { table.notes.append("\(name): \(note)") }
    }
    for phase in run.phases { add(ReportFormat.alive(phase.alive), phase) }
    if run.phases.count > 1 { add("all", run.total) }
    table.notes.append("accuracies with 95 % intervals")
    return table
  }

  private static let deviceHeader = [
    "device", "frames", "mJ/image", "watts", "resident", "out/image", "in/image",
    "% compute / wait / comm", "degraded", "fills",
  ]

  private static func row(_ figures: FlightReport.DeviceFigures) -> [String] {
    [
      figures.device, "\(figures.frames)", ReportFormat.energy(figures.energy),
      ReportFormat.number(figures.energy?.activeWatts),
      ReportFormat.bytes(figures.memory?.maximum), ReportFormat.bytes(figures.bytesOutPerImage),
      ReportFormat.bytes(figures.bytesInPerImage), ReportFormat.shares(figures.shares),
      "\(figures.degradedFrames)", ReportFormat.counts(figures.fills),
    ]
  }

  private var devices: TitledTable {
    var table = TitledTable("Devices", ReportTables.deviceHeader)
    table.rows = report.devices.map { ReportTables.row($0.figures) }
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
    var table = TitledTable(
      "Devices while \(ReportFormat.alive(phase.alive)) were counted on", ReportTables.deviceHeader)
    table.rows = phase.devices.map(ReportTables.row)
    table.notes = ["of seconds that lie wholly within the phase"]
    return table
  }

  private var energyAndMemory: TitledTable {
    var table = TitledTable(
      "Energy and memory",
      [
        "device", "joules", "max W", "source", "peak", "weights", "arena", "queue", "CPU %", "C",
        "MHz", "dropped",
      ])
    for device in report.devices {
      let figures = device.figures
      table.rows.append(
        [
          device.name, ReportFormat.number(figures.energy?.joules),
          ReportFormat.number(figures.energy?.maximumWatts),
          figures.energy?.sources.joined(separator: " ") ?? "-",
          ReportFormat.bytes(figures.memory?.peak), ReportFormat.bytes(figures.memory?.weights),
          ReportFormat.bytes(figures.memory?.arena), ReportFormat.bytes(figures.memory?.queue),
          figures.cpuShare.map { ($0 * 100).formatted(0) } ?? "-",
          ReportFormat.number(figures.maximumCelsius),
          figures.minimumMegahertz.map { $0.formatted(0) } ?? "-",
          ReportFormat.counts(figures.drops),
        ])
    }
    return table
  }

  private func stages(_ group: StageGroup) -> TitledTable {
    let whom = group.alive.map { " while \(ReportFormat.alive($0)) were counted on" } ?? ""
    var table = TitledTable(
      "Stages\(whom): milliseconds per frame",
      ["layer", "compute", "send", "wait", "receive", "out", "in", "degraded wait", "fills"])
    for stage in group.summaries {
      table.rows.append(
        [
          stage.layer, stage.compute?.text ?? "-", stage.send?.text ?? "-",
          stage.wait?.text ?? "-", stage.receive.text,
          ReportFormat.bytes(stage.bytesOut), ReportFormat.bytes(stage.bytesIn),
          stage.degradedWait?.text ?? "-", ReportFormat.counts(stage.fills),
        ])
    }
    table.notes = [
      "mean over devices (slowest device); compute, send and wait of frames that lack nothing"
    ]
    if let frame = group.frameMilliseconds {
      let median = group.medianLatency.map {
        "; half of the answers took at most \($0.formatted(1)) ms"
      }
      table.notes.append("all stages together \(frame.text) ms\(median ?? "")")
    }
    return table
  }
}
