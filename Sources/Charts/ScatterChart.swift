/// Points in one or several panels side by side, as an SVG file that needs nothing else.
///
/// Dark on white, or light on dark where the reader prefers that, with a title and a description for
/// those who cannot see it. Each series has a
/// marker of its own shape, so that none is told apart by colour alone.
package struct ScatterChart: Sendable, Equatable {
  /// One point.
  package struct Point: Sendable, Equatable {
    /// Its place along the horizontal axis.
    package var x: Double
    /// Its height, zero or more.
    package var y: Double
    /// The lower end of its whisker.
    package var low: Double?
    /// The upper end of its whisker.
    package var high: Double?

    /// Makes a point.
    package init(_ x: Double, _ y: Double, low: Double? = nil, high: Double? = nil) {
      self.x = x
      self.y = y
      self.low = low
      self.high = high
    }
  }

  /// Points of one colour and shape.
  package struct Series: Sendable, Equatable {
    /// What the legend says.
    package var name: String
    /// Whether a line joins its points from left to right.
    package var isJoined: Bool
    /// By panel.
    package var points: [[Point]]

    /// Makes a series.
    package init(name: String, isJoined: Bool = false, points: [[Point]]) {
      self.name = name
      self.isJoined = isJoined
      self.points = points
    }
  }

  /// One pair of axes.
  package struct Panel: Sendable, Equatable {
    /// Above it.
    package var name: String
    /// The corners of a staircase behind the points: what is possible up to each place.
    package var front: [Point]

    /// Makes a panel.
    package init(name: String, front: [Point] = []) {
      self.name = name
      self.front = front
    }
  }

  /// A dashed line across every panel.
  package typealias Reference = BarChart.Reference

  /// Above the chart.
  package var title: String
  /// One or two sentences on what is shown, for those who cannot see it.
  package var description: String
  /// What lies along the horizontal axis, with the unit.
  package var xLabel: String
  /// What the heights are, with the unit.
  package var yLabel: String
  /// What the legend says of the staircase.
  package var frontName: String
  /// All panels have the same axes.
  package var panels: [Panel]
  /// The series.
  package var series: [Series]
  /// Dashed lines.
  package var references: [Reference]

  /// Makes a chart.
  package init(
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
  package var svg: String { ScatterChartDrawing(self).svg }
}
