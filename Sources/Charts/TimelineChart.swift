/// Spans of time in rows, as an SVG file that needs nothing else: what each of several things did
/// when.
///
/// Dark on white, or light on dark where the reader prefers that, with a title and a description for
/// those who cannot see it.
public struct TimelineChart: Sendable, Equatable {
  /// Something from one time to another.
  public struct Span: Sendable, Equatable {
    /// From.
    public var start: Double
    /// To.
    public var end: Double
    /// What it is: the number of a kind.
    public var kind: Int
    /// What a pointer on it is told.
    public var name: String

    /// Makes a span.
    public init(start: Double, end: Double, kind: Int, name: String) {
      self.start = start
      self.end = end
      self.kind = kind
      self.name = name
    }
  }

  /// Spans beside a name.
  public struct Row: Sendable, Equatable {
    /// Left of it.
    public var name: String
    /// In any order.
    public var spans: [Span]

    /// Makes a row.
    public init(name: String, spans: [Span]) {
      self.name = name
      self.spans = spans
    }
  }

  /// Above the chart.
  public var title: String
  /// One or two sentences on what is shown, for those who cannot see it.
  public var description: String
  /// What lies along the horizontal axis, with the unit.
  public var xLabel: String
  /// What the legend says of each kind of span.
  public var kinds: [String]
  /// From top to bottom.
  public var rows: [Row]

  /// Makes a chart.
  public init(
    title: String, description: String, xLabel: String, kinds: [String], rows: [Row]
  ) {
    self.title = title
    self.description = description
    self.xLabel = xLabel
    self.kinds = kinds
    self.rows = rows
  }

  /// The SVG file.
  public var svg: String { TimelineChartDrawing(self).svg }
}
