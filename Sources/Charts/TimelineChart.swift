/// Spans of time in rows, as an SVG file that needs nothing else: what each of several things did
/// when.
///
/// Dark on white, or light on dark where the reader prefers that, with a title and a description for
/// those who cannot see it.
package struct TimelineChart: Sendable, Equatable {
  /// Something from one time to another.
  package struct Span: Sendable, Equatable {
    /// From.
    package var start: Double
    /// To.
    package var end: Double
    /// What it is: the number of a kind.
    package var kind: Int
    /// What a pointer on it is told.
    package var name: String

    /// Makes a span.
    package init(start: Double, end: Double, kind: Int, name: String) {
      self.start = start
      self.end = end
      self.kind = kind
      self.name = name
    }
  }

  /// Spans beside a name.
  package struct Row: Sendable, Equatable {
    /// Left of it.
    package var name: String
    /// In any order.
    package var spans: [Span]

    /// Makes a row.
    package init(name: String, spans: [Span]) {
      self.name = name
      self.spans = spans
    }
  }

  /// Above the chart.
  package var title: String
  /// One or two sentences on what is shown, for those who cannot see it.
  package var description: String
  /// What lies along the horizontal axis, with the unit.
  package var xLabel: String
  /// What the legend says of each kind of span.
  package var kinds: [String]
  /// From top to bottom.
  package var rows: [Row]

  /// Makes a chart.
  package init(
    title: String, description: String, xLabel: String, kinds: [String], rows: [Row]
  ) {
    self.title = title
    self.description = description
    self.xLabel = xLabel
    self.kinds = kinds
    self.rows = rows
  }

  /// The SVG file.
  package var svg: String { TimelineChartDrawing(self).svg }
}
