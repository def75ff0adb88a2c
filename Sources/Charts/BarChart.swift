/// Grouped bars with whiskers, as an SVG file that needs nothing else.
///
/// Dark on white, or light on dark where the reader prefers that, with a title and a description for
/// those who cannot see it; colours can be told apart with the common kinds of colour blindness.
package struct BarChart: Sendable, Equatable {
  /// One bar.
  package struct Bar: Sendable, Equatable {
    /// Its height, zero or more.
    package var value: Double
    /// The lower end of its whisker.
    package var low: Double?
    /// The upper end of its whisker.
    package var high: Double?

    /// Makes a bar.
    package init(_ value: Double, low: Double? = nil, high: Double? = nil) {
      self.value = value
      self.low = low
      self.high = high
    }
  }

  /// Bars of one colour, at most one in each group.
  package struct Series: Sendable, Equatable {
    /// What the legend says.
    package var name: String
    /// By group; nil where there is none.
    package var bars: [Bar?]

    /// Makes a series.
    package init(name: String, bars: [Bar?]) {
      self.name = name
      self.bars = bars
    }
  }

  /// A dashed line across the chart, such as what would be ideal.
  package struct Reference: Sendable, Equatable {
    /// What the legend says.
    package var name: String
    /// Its height.
    package var value: Double

    /// Makes a line.
    package init(name: String, value: Double) {
      self.name = name
      self.value = value
    }
  }

  /// Above the chart.
  package var title: String
  /// One or two sentences on what is shown, for those who cannot see it.
  package var description: String
  /// What the heights are, with the unit.
  package var valueLabel: String
  /// The groups, from left to right.
  package var groups: [String]
  /// The series, from left to right in each group.
  package var series: [Series]
  /// Dashed lines.
  package var references: [Reference]
  /// Decimals of the numbers above the bars.
  package var decimals: Int

  /// Makes a chart.
  package init(
    title: String, description: String, valueLabel: String, groups: [String], series: [Series],
    references: [Reference] = [], decimals: Int = 1
  ) {
    self.title = title
    self.description = description
    self.valueLabel = valueLabel
    self.groups = groups
    self.series = series
    self.references = references
    self.decimals = decimals
  }

  /// The SVG file.
  package var svg: String { BarChartDrawing(self).svg }
}
