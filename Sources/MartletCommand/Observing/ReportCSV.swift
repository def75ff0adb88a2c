import FlightReport
import Tables

/// A report for spreadsheets: one figure a line, with what it is of.
struct ReportCSV {
  private var lines = ["run,phase,device,stage,figure,unit,value,low,high"]

  init(_ report: FlightReport) {
    let maximum = report.maximum
    add(figure: "max_joules_per_image", "J", maximum.joulesPerImage)
    add(figure: "frames_per_second", "1/s", maximum.framesPerSecond)
    add(figure: "max_peak_memory", "B", maximum.peakMemoryBytes.map(Double.init))
    add(figure: "max_weights", "B", maximum.weightBytes.map(Double.init))
    for run in report.runs {
      add(run.total, run: run.client, phase: "all")
      for phase in run.phases {
        let name = ReportFormat.alive(phase.alive)
        add(phase, run: run.client, phase: name)
        for device in phase.devices { add(device, run: run.client, phase: name) }
      }
    }
    for device in report.devices {
      add(device.figures, run: "", phase: "")
      for stage in device.stages { add(stage, device: device.name) }
    }
  }

  var text: String { lines.joined(separator: "\n") }

  private mutating func add(
    run: String = "", phase: String = "", device: String = "", stage: String = "",
    figure: String, _ unit: String, _ value: Double?, low: Double? = nil, high: Double? = nil
  ) {
    guard let value else { return }
    lines.append(
      CSVText.line(
        [run, phase, device, stage, figure, unit, "\(value)"]
          + [low, high].map { $0.map { "\($0)" } ?? "" }))
  }

  private mutating func add(_ totals: FlightReport.Phase, run: String, phase: String) {
    add(run: run, phase: phase, figure: "seconds", "s", totals.seconds)
    add(run: run, phase: phase, figure: "frames", "1", Double(totals.frames))
    add(run: run, phase: phase, figure: "degraded_frames", "1", Double(totals.degradedFrames))
    add(run: run, phase: phase, figure: "frames_per_second", "1/s", totals.framesPerSecond)
    for (name, value) in [("top1", totals.top1), ("top5", totals.top5)] {
      add(
        run: run, phase: phase, figure: name, "1", value?.accuracy, low: value?.low,
        high: value?.high)
    }
    let latency = totals.latency
    for (name, value) in [
      ("mean", latency?.mean), ("p50", latency?.p50), ("p90", latency?.p90), ("p99", latency?.p99),
      ("max", latency?.maximum),
    ] as [(String, Double?)] {
      add(run: run, phase: phase, figure: "latency_\(name)", "ms", value)
    }
    for (reason, count) in totals.fills.sorted(by: { $0.key < $1.key }) {
      add(run: run, phase: phase, figure: "fills_\(reason)", "1", Double(count))
    }
  }

  private mutating func add(_ figures: FlightReport.DeviceFigures, run: String, phase: String) {
    let (energy, memory, shares) = (figures.energy, figures.memory, figures.shares)
    for (name, unit, value) in [
      ("frames", "1", Double(figures.frames)),
      ("degraded_frames", "1", Double(figures.degradedFrames)),
      ("dropped_frames", "1", Double(figures.droppedFrames)), ("energy", "J", energy?.joules),
      ("energy_is_estimated", "1", energy.map { $0.isEstimated ? 1 : 0 }),
      ("energy_per_image", "J", energy?.joulesPerImage), ("power", "W", energy?.activeWatts),
      ("max_power", "W", energy?.maximumWatts),
      ("peak_resident", "B", memory.map { Double($0.peak) }),
      ("max_resident", "B", memory.map { Double($0.maximum) }),
      ("weights", "B", memory.map { Double($0.weights) }),
      ("arena", "B", memory.map { Double($0.arena) }),
      ("max_queue", "B", memory.map { Double($0.queue) }),
      ("bytes_out_per_image", "B", figures.bytesOutPerImage),
      ("bytes_in_per_image", "B", figures.bytesInPerImage),
      ("share_computing", "1", shares?.computing), ("share_waiting", "1", shares?.waiting),
      ("share_communicating", "1", shares?.communicating), ("cpu_share", "1", figures.cpuShare),
      ("max_temperature", "C", figures.maximumCelsius),
      ("min_clock", "MHz", figures.minimumMegahertz),
    ] as [(String, String, Double?)] {
      add(run: run, phase: phase, device: figures.device, figure: name, unit, value)
    }
    for (reason, count) in figures.fills.sorted(by: { $0.key < $1.key }) {
      add(
        run: run, phase: phase, device: figures.device, figure: "fills_\(reason)", "1",
        Double(count))
    }
  }

  private mutating func add(_ stage: FlightReport.Stage, device: String) {
    for (kind, times) in [("whole", stage.whole), ("degraded", stage.degraded)] {
      for (name, value) in [
        ("compute", times?.compute), ("send", times?.send), ("wait", times?.wait),
      ] as [(String, Double?)] {
        add(device: device, stage: stage.layer, figure: "\(kind)_\(name)", "ms", value)
      }
    }
    for (name, unit, value) in [
      ("receive", "ms", stage.receiveMilliseconds), ("bytes_out", "B", stage.bytesOut),
      ("bytes_in", "B", stage.bytesIn),
    ] {
      add(device: device, stage: stage.layer, figure: name, unit, value)
    }
  }
}
