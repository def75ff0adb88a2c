import ArgumentParser
import FlightReport
import Foundations
import JSONCoding
import Processes
import Recording
package import ReportViews
import Runtime
import Tables
import TensorFiles
import WireProtocol

/// `martlet report`: energy, memory, accuracy and speed from what is published.
struct Report: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Adds up energy, memory, accuracy and speed from what a deployment publishes.",
    discussion: """
      Listens to a broker until --for, --frames or Ctrl-C, or reads recordings; needs nothing but the
      topics. A phase is a set of devices that frames were sent to. Tables are printed unless a file is
      asked for; --json, --csv or --markdown beside a file print as well.

      Examples:
        martlet report --broker broker.local --for 60s
        martlet report --broker broker.local --follow --prometheus /var/lib/node/martlet.prom
        martlet report --from flight.rec --html report.html
        martlet report --from flight.rec --json > a.json
        martlet report --compare a.json b.json --paper
      """)

  @OptionGroup var source: ReportSourceOptions
  @OptionGroup var log: LogOptions

  @Option(
    parsing: .upToNextOption, help: "Reports that --json wrote, side by side instead of a new one.",
    completion: .file())
  var compare: [String] = []

  @Flag(help: "How to print it (default: tables).")
  var format: Format?

  @Flag(help: "Add the columns of Table 2 of the RobustDiCE paper, beside the paper's own.")
  var paper = false

  @Option(
    help:
      "With --paper: the paper's network, where the model's name does not tell it: alexnet, vgg16-bn or convnext-tiny."
  )
  var network: PaperTable.Network?

  @Option(help: "Write one HTML file that needs nothing else.", completion: .file())
  var html: String?

  @OptionGroup var overwrite: OverwriteOptions

  @Option(
    help: "Write metrics for Prometheus's textfile collector, again every --every with --follow.",
    completion: .file())
  var prometheus: String?

  enum Format: String, EnumerableFlag {
    case json, csv, markdown
  }

  func validate() throws {
    if compare.isEmpty {
      try source.check()
    } else {
      guard !source.isGiven else { throw ValidationError("--compare reads reports only") }
      guard html == nil, prometheus == nil else {
        throw ValidationError("--compare prints tables, --json, --csv or --markdown")
      }
    }
    guard network == nil || paper else { throw ValidationError("--network needs --paper") }
  }

  func run() throws {
    try OutputFiles.check([html], overwrite)
    // This one is there to be replaced, again and again.
    try OutputFiles.checkFolders([prometheus])
    guard compare.isEmpty else { return try runComparison() }
    var reading = ReportReading(source, logger: try log.logger("martlet.report"))
    let report = try reading.run { report throws(MartletError) in
      try write(report, isFinal: false)
    }
    Terminal.endProgress()
    try write(report, isFinal: true)
  }

  /// Files at every step, the screen as well with `--follow`, and everything at the end.
  private func write(_ report: FlightReport, isFinal: Bool) throws(MartletError) {
    if let prometheus {
      try FileSystem.write(Array(PrometheusText(report).text.utf8), to: prometheus)
    }
    if let html { try FileSystem.write(Array(try HTMLReport(report).text.utf8), to: html) }
    guard isFinal else {
      if format == nil, files.isEmpty, Terminal.isOutputInteractive {
        try Terminal.print(
          "\u{1B}[H\u{1B}[2J" + ReportTables(report).tables.map(\.text).joined(separator: "\n\n"))
      }
      return
    }
    guard format != nil || files.isEmpty || paper else {
      return try Terminal.print("wrote " + files.joined(separator: " and "))
    }
    switch format {
    case .json: try Terminal.printJSON(report)
    case .csv: try Terminal.print(ReportCSV(report).text)
    case .markdown: try Terminal.print(tables(report).map(\.markdown).joined(separator: "\n\n"))
    case nil: try Terminal.print(tables(report).map(\.text).joined(separator: "\n\n"))
    }
  }

  /// The files that were asked for.
  private var files: [String] { [html, prometheus].compactMap { $0 } }

  private func tables(_ report: FlightReport) -> [TitledTable] {
    (files.isEmpty || format != nil ? ReportTables(report).tables : [])
      + (paper ? [PaperTable([(name: "this", report: report)], network: network).table] : [])
  }

  private func runComparison() throws {
    let reports = try compare.map { path in
      (
        name: FileSystem.name(of: path),
        report: try FlightReport(json: try FileSystem.read(path, limit: 64 << 20), source: path)
      )
    }
    let comparison = ReportComparison(reports)
    var tables = [comparison.table]
    if paper { tables.append(PaperTable(reports, network: network).table) }
    switch format {
    case .json: try Terminal.printJSON(comparison)
    case .csv: try Terminal.print(tables.map(\.csv).joined(separator: "\n\n"))
    case .markdown: try Terminal.print(tables.map(\.markdown).joined(separator: "\n\n"))
    case nil: try Terminal.print(tables.map(\.text).joined(separator: "\n\n"))
    }
  }
}

extension PaperTable.Network: ExpressibleByArgument {}
