/// Grouped bars with whiskers, as an SVG file that needs nothing else.
///
/// Dark on white, or light on dark where the reader prefers that, with a title and a description for
/// those who cannot see it; colours can be told apart with the common kinds of colour blindness.
public struct BarChart: Sendable, Equatable {
  /// One bar.
  public struct Bar: Sendable, Equatable {
    /// Its height, zero or more.
    public var value: Double
    /// The lower end of its whisker.
    public var low: Double?
    /// The upper end of its whisker.
    public var high: Double?

    /// Makes a bar.
    public init(_ value: Double, low: Double? = nil, high: Double? = nil) {
      self.value = value
      self.low = low
      self.high = high
    }
  }

  /// Bars of one colour, at most one in each group.
  public struct Series: Sendable, Equatable {
    /// What the legend says.
    public var name: String
    /// By group; nil where there is none.
    public var bars: [Bar?]

    /// Makes a series.
    public init(name: String, bars: [Bar?]) {
      self.name = name
      self.bars = bars
    }
  }

  /// A dashed line across the chart, such as what would be ideal.
  public struct Reference: Sendable, Equatable {
    /// What the legend says.
    public var name: String
    /// Its height.
    public var value: Double

    /// Makes a line.
    public init(name: String, value: Double) {
      self.name = name
      self.value = value
    }
  }

  /// Above the chart.
  public var title: String
  /// One or two sentences on what is shown, for those who cannot see it.
  public var description: String
  /// What the heights are, with the unit.
  public var valueLabel: String
  /// The groups, from left to right.
  public var groups: [String]
  /// The series, from left to right in each group.
  public var series: [Series]
  /// Dashed lines.
  public var references: [Reference]
  /// Decimals of the numbers above the bars.
  public var decimals: Int

  /// Makes a chart.
  public init(
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
  public var svg: String { BarChartDrawing(self).svg }
}
