/// One figure of a report: what it is called, what it is in, where it stands in the JSON report, how
/// tables show it, and what Prometheus calls it.
///
/// Text, CSV, HTML and Prometheus are made of lists of these, so that a new figure is one line in a list;
/// the JSON report is the data itself, of which `path` names the member.
package struct Figure<Subject: Sendable>: Sendable {
  /// What CSV calls it; unique in its list.
  package let name: String
  /// The unit of the value.
  package let unit: FigureUnit
  /// The member of the subject in JSON, with dots between levels; nil for what follows from others.
  package let path: String?
  /// Where tables show it; nil for figures that only machines read.
  package let column: FigureColumn<Subject>?
  /// What Prometheus reads; nil for figures that it does not get.
  package let export: FigureExport<Subject>?
  /// The figure of a subject; nil where there is none.
  package let value: @Sendable (Subject) -> Double?
  /// An interval around it, where there is one.
  package let interval: @Sendable (Subject) -> (low: Double, high: Double)?

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
package enum FigureUnit: String, Sendable {
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
package struct FigureColumn<Subject: Sendable>: Sendable {
  /// Which table of the subject; tables show their columns in the order of the list.
  package let table: FigureTable
  /// What stands above it.
  package let heading: String
  /// How the value is written.
  package let style: FigureStyle
  /// What the figures of several devices become in one cell, in tables that do not list devices.
  package let fold: FigureFold
  /// What stands before it, such as a mark for estimates.
  package let mark: @Sendable (Subject) -> String

  init(
    _ table: FigureTable, _ heading: String, _ style: FigureStyle = .number,
    over fold: FigureFold = .mean,
    mark: @escaping @Sendable (Subject) -> String = { _ in "" }
  ) {
    self.table = table
    self.heading = heading
    self.style = style
    self.fold = fold
    self.mark = mark
  }
}

/// How a value is written for people.
package enum FigureStyle: Sendable, Equatable {
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

/// What the figures of several devices become.
package enum FigureFold: Sendable, Equatable {
  /// Their mean.
  case mean
  /// Their mean, and the largest in brackets.
  case meanAndMaximum
}

/// The tables that figures stand in.
package enum FigureTable: Sendable, Equatable {
  /// The largest of any device.
  case maximum
  /// A run by phases.
  case phases
  /// What devices do.
  case work
  /// What devices need.
  case resources
  /// Stages over all devices.
  case stages
  /// The same table's last columns, of frames from which something was missing.
  case degradedStages
}

/// A family of samples for Prometheus.
package struct FigureExport<Subject: Sendable>: Sendable {
  /// By the conventions of OpenMetrics: base units, `_total` for what only grows.
  package let name: String
  /// `counter` or `gauge`.
  package let kind: String
  /// One sentence.
  package let help: String
  /// What is to be known beside whose figure it is.
  package let labels: @Sendable (Subject) -> [String: String]

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
