package import FlightReport
package import Foundations
import Mustache
import Tables

/// A report as one HTML file that needs nothing else: tables, and charts as SVG with text
/// alternatives; light or dark as the reader prefers, and fit for printing.
package struct HTMLReport {
  /// A headline figure.
  private struct Tile {
    var name: String
    var value: String
    var note: String
  }

  /// A table for the template.
  private struct Table {
    struct Row {
      var head: String
      var cells: [String]
    }
    var title: String
    var header: [String]
    var rows: [Row]
    var notes: [String]

    init(_ table: TitledTable) {
      title = table.title
      header = table.header
      rows = table.rows.map { Row(head: $0.first ?? "", cells: Array($0.dropFirst())) }
      notes = table.notes
    }
  }

  /// What the template is filled with.
  private struct Page {
    var deployment: String
    var subtitle: String
    var tiles: [Tile]
    var hasNotes: Bool
    var notes: [String]
    var charts: [String]
    var tables: [Table]
    var version: Int
  }

  /// The file.
  package let text: String

  /// - Throws: `io` when the template does not compile, which no report can cause.
  package init(_ report: FlightReport) throws(MartletError) {
    let template: MustacheTemplate
    do {
      template = try MustacheTemplate(string: HTMLTemplate.text)
    } catch {
      throw MartletError(.io, "the template of the report does not compile: \(error)")
    }
    text = template.render(
      Page(
        deployment: report.deployment, subtitle: HTMLReport.subtitle(report),
        tiles: HTMLReport.tiles(report), hasNotes: !report.notes.isEmpty,
        notes: report.notes,
        charts: ReportCharts(report).svgs.enumerated().map {
          HTMLReport.inline($1, number: $0)
        }, tables: ReportTables(report).tables.map(Table.init), version: report.version))
  }

  private static func subtitle(_ report: FlightReport) -> String {
    let parts = [
      report.model.map { "model \($0)" }, report.method.map { "method \($0)" },
      report.plan.map { "plan \($0)" }, "\(report.devices.count) devices",
      "\(report.seconds.formatted(1)) s",
    ]
    return parts.compactMap { $0 }.joined(separator: " · ")
  }

  /// The largest figures, before them the accuracy over all runs.
  private static func tiles(_ report: FlightReport) -> [Tile] {
    let labelled = report.runs.compactMap(\.total.top1)
    let (correct, of) = labelled.reduce((0, 0)) { ($0.0 + $1.correct, $0.1 + $1.of) }
    let frames = report.runs.reduce(0) { $0 + $1.total.frames }
    let degraded = report.runs.reduce(0) { $0 + $1.total.degradedFrames }
    let accuracy = Tile(
      name: "top-1 accuracy",
      value: of > 0 ? (Double(correct) / Double(of) * 100).formatted(1) + " %" : ReportFormat.none,
      note: of > 0 ? "\(correct) of \(of)" : "no labels known")
    let columns = Figure.columns(.maximum, of: Figure<FlightReport.Maximum>.all)
    return [accuracy]
      + columns.map { figure in
        Tile(
          name: figure.heading, value: figure.text(report.maximum),
          note: figure.unit == .perSecond
            ? "\(frames) answers, \(degraded) degraded"
            : figure.unit == .joules && report.maximum.isEnergyEstimated
              ? "largest device; an estimate" : "largest device")
      }
  }

  /// Every chart names its title and description by ids, which must be its own in one document. The
  /// text of charts is escaped, so that these attributes stand only where the drawing put them.
  private static func inline(_ svg: String, number: Int) -> String {
    var result = svg
    for (old, new) in [
      ("aria-labelledby=\"title description\"", "aria-labelledby=\"t\(number) d\(number)\""),
      ("id=\"title\"", "id=\"t\(number)\""), ("id=\"description\"", "id=\"d\(number)\""),
    ] {
      if let range = result.firstRange(of: old) { result.replaceSubrange(range, with: new) }
    }
    return result
  }
}
