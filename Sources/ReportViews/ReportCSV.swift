package import FlightReport
import Tables

/// A report for spreadsheets: one figure a line, with what it is of.
package struct ReportCSV {
  private var lines = ["run,phase,device,stage,figure,unit,value,low,high"]

  /// Lists the figures of a report; those that it has not are left out.
  package init(_ report: FlightReport) {
    add(Figure.all, of: report.maximum)
    for run in report.runs {
      add(run.total, run: run.client, phase: "all")
      for phase in run.phases {
        add(phase, run: run.client, phase: ReportFormat.alive(phase.alive))
      }
    }
    for device in report.devices {
      add(device.figures, run: "", phase: "")
      for stage in device.stages {
        add(Figure.all, of: stage, device: device.name, stage: stage.layer)
      }
    }
  }

  /// The file.
  package var text: String { lines.joined(separator: "\n") }

  private mutating func add<Subject>(
    _ figures: [Figure<Subject>], of subject: Subject, run: String = "", phase: String = "",
    device: String = "", stage: String = ""
  ) {
    for figure in figures {
      guard let value = figure.value(subject) else { continue }
      let interval = figure.interval(subject)
      let ends = [interval?.low, interval?.high].map { $0.map { "\($0)" } ?? "" }
      lines.append(
        CSVText.line(
          [run, phase, device, stage, figure.name, figure.unit.rawValue, "\(value)"] + ends))
    }
  }

  private mutating func add(_ totals: FlightReport.Phase, run: String, phase: String) {
    add(Figure.all, of: totals, run: run, phase: phase)
    add(totals.fills, "fills", run: run, phase: phase)
    for device in totals.devices { add(device, run: run, phase: phase) }
  }

  private mutating func add(_ figures: FlightReport.DeviceFigures, run: String, phase: String) {
    add(Figure.all, of: figures, run: run, phase: phase, device: figures.device)
    add(figures.work.fills, "fills", run: run, phase: phase, device: figures.device)
  }

  /// Counts by reason.
  private mutating func add<Count: BinaryInteger>(
    _ counts: [String: Count], _ name: String, run: String, phase: String, device: String = ""
  ) {
    for (reason, count) in counts.sorted(by: { $0.key < $1.key }) {
      lines.append(
        CSVText.line(
          [run, phase, device, "", "\(name)_\(reason)", "1", "\(Double(count))", "", ""]))
    }
  }
}
