/// One figure of a report: what it is called, what it is in, where it stands in the JSON report, how
/// tables show it, and what Prometheus calls it.
///
/// Text, CSV, HTML and Prometheus are made of lists of these, so that a new figure is one line in a list;
/// the JSON report is the data itself, of which `path` names the member.
public struct Figure<Subject: Sendable>: Sendable {
  /// What CSV calls it; unique in its list.
  public let name: String
  /// The unit of the value.
  public let unit: FigureUnit
  /// The member of the subject in JSON, with dots between levels; nil for what follows from others.
  public let path: String?
  /// Where tables show it; nil for figures that only machines read.
  public let column: FigureColumn<Subject>?
  /// What Prometheus reads; nil for figures that it does not get.
  public let export: FigureExport<Subject>?
  /// The figure of a subject; nil where there is none.
  public let value: @Sendable (Subject) -> Double?
  /// An interval around it, where there is one.
  public let interval: @Sendable (Subject) -> (low: Double, high: Double)?

  init(
    _ name: String, _ unit: FigureUnit, _ path: String?, column: FigureColumn<Subject>? = nil,
    export: FigureExport<Subject>? = nil,
    interval: @escaping @Sendable (Subject) -> (low: Double, high: Double)? = { _ in nil },
    _ value: @escaping @Sendable (Subject) -> Double?
  ) {
    self.name = name
    self.unit = unit
    self.path = path
    self.column = column
    self.export = export
    self.interval = interval
    self.value = value
  }
}

/// What a figure is in.
public enum FigureUnit: String, Sendable {
  case one = "1"
  case seconds = "s"
  case milliseconds = "ms"
  case perSecond = "1/s"
  case joules = "J"
  case watts = "W"
  case bytes = "B"
  case celsius = "C"
  case megahertz = "MHz"
}

/// A column of a table for people.
public struct FigureColumn<Subject: Sendable>: Sendable {
  /// Which table of the subject; tables show their columns in the order of the list.
  public let table: FigureTable
  /// What stands above it.
  public let heading: String
  /// How the value is written.
  public let style: FigureStyle
  /// What stands before it, such as a mark for estimates.
  public let mark: @Sendable (Subject) -> String

  init(
    _ table: FigureTable, _ heading: String, _ style: FigureStyle = .number,
    mark: @escaping @Sendable (Subject) -> String = { _ in "" }
  ) {
    self.table = table
    self.heading = heading
    self.style = style
    self.mark = mark
  }
}

/// How a value is written for people.
public enum FigureStyle: Sendable, Equatable {
  /// Without decimals.
  case count
  /// With a sensible number of decimals for its size.
  case number
  /// With so many decimals.
  case decimals(Int)
  /// As a number, times a thousand.
  case thousandths
  /// As bytes: `3.2 MB`.
  case bytes
  /// As a percentage, with the interval and the sign if there is one.
  case percent
}

/// The tables that figures stand in.
public enum FigureTable: Sendable, Equatable {
  /// The largest of any device.
  case maximum
  /// A run by phases.
  case phases
  /// What devices do.
  case work
  /// What devices need.
  case resources
}

/// A family of samples for Prometheus.
public struct FigureExport<Subject: Sendable>: Sendable {
  /// By the conventions of OpenMetrics: base units, `_total` for what only grows.
  public let name: String
  /// `counter` or `gauge`.
  public let kind: String
  /// One sentence.
  public let help: String
  /// What is to be known beside whose figure it is.
  public let labels: @Sendable (Subject) -> [String: String]

  static func counter(
    _ name: String, _ help: String,
    labels: @escaping @Sendable (Subject) -> [String: String] = { _ in [:] }
  ) -> FigureExport {
    FigureExport(name: "martlet_\(name)_total", kind: "counter", help: help, labels: labels)
  }

  static func gauge(_ name: String, _ help: String) -> FigureExport {
    FigureExport(name: "martlet_\(name)", kind: "gauge", help: help, labels: { _ in [:] })
  }
}
