/// Points in one or several panels side by side, as an SVG file that needs nothing else.
///
/// Dark on white, or light on dark where the reader prefers that, with a title and a description for
/// those who cannot see it. Each series has a
/// marker of its own shape, so that none is told apart by colour alone.
public struct ScatterChart: Sendable, Equatable {
  /// One point.
  public struct Point: Sendable, Equatable {
    /// Its place along the horizontal axis.
    public var x: Double
    /// Its height, zero or more.
    public var y: Double
    /// The lower end of its whisker.
    public var low: Double?
    /// The upper end of its whisker.
    public var high: Double?

    /// Makes a point.
    public init(_ x: Double, _ y: Double, low: Double? = nil, high: Double? = nil) {
      self.x = x
      self.y = y
      self.low = low
      self.high = high
    }
  }

  /// Points of one colour and shape.
  public struct Series: Sendable, Equatable {
    /// What the legend says.
    public var name: String
    /// Whether a line joins its points from left to right.
    public var isJoined: Bool
    /// By panel.
    public var points: [[Point]]

    /// Makes a series.
    public init(name: String, isJoined: Bool = false, points: [[Point]]) {
      self.name = name
      self.isJoined = isJoined
      self.points = points
    }
  }

  /// One pair of axes.
  public struct Panel: Sendable, Equatable {
    /// Above it.
    public var name: String
    /// The corners of a staircase behind the points: what is possible up to each place.
    public var front: [Point]

    /// Makes a panel.
    public init(name: String, front: [Point] = []) {
      self.name = name
      self.front = front
    }
  }

  /// A dashed line across every panel.
  public typealias Reference = BarChart.Reference

  /// Above the chart.
  public var title: String
  /// One or two sentences on what is shown, for those who cannot see it.
  public var description: String
  /// What lies along the horizontal axis, with the unit.
  public var xLabel: String
  /// What the heights are, with the unit.
  public var yLabel: String
  /// What the legend says of the staircase.
  public var frontName: String
  /// All panels have the same axes.
  public var panels: [Panel]
  /// The series.
  public var series: [Series]
  /// Dashed lines.
  public var references: [Reference]

  /// Makes a chart.
  public init(
    title: String, description: String, xLabel: String, yLabel: String, panels: [Panel],
    series: [Series], frontName: String = "Pareto front", references: [Reference] = []
  ) {
    self.title = title
    self.description = description
    self.xLabel = xLabel
    self.yLabel = yLabel
    self.panels = panels
    self.series = series
    self.frontName = frontName
    self.references = references
  }

  /// The SVG file.
  public var svg: String { ScatterChartDrawing(self).svg }
}
