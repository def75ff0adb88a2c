/// Lays a `BarChart` out and writes it.
struct BarChartDrawing {
  private let chart: BarChart
  private let ticks: [Double]
  private let width: Double
  private let plotTop: Double
  private let groupWidth: Double
  private let barWidth: Double
  private let legend: [LegendEntry]
  private let labelsAreTurned: Bool

  private let left = 64.0
  private let right = 20.0
  private let plotHeight = 280.0
  private let groupGap = 24.0

  private struct LegendEntry {
    var x: Double
    var y: Double
    var name: String
    var colour: String
    var isLine: Bool
  }

  init(_ chart: BarChart) {
    self.chart = chart
    let values =
      chart.series.flatMap(\.bars).compactMap { $0 }.flatMap { [$0.value, $0.high ?? $0.value] }
      + chart.references.map(\.value)
    ticks = AxisTicks(maximum: values.filter(\.isFinite).max() ?? 1).values
    let count = Double(max(chart.series.count, 1))
    // Wide enough for the numbers above the bars.
    barWidth = chart.series.count > 8 ? 26 : 34
    let groups = Double(max(chart.groups.count, 1))
    // A bold letter of the title is about 9.6 wide.
    let titleWidth = 9.6 * Double(chart.title.count)
    width = max(400, left + right + max((barWidth * count + groupGap) * groups, titleWidth))
    groupWidth = (width - left - right) / groups
    let longest = Double(chart.groups.map(\.count).max() ?? 0) * SVGShape.letter
    labelsAreTurned = longest > groupWidth - 4
    var entries: [LegendEntry] = []
    let named =
      chart.series.enumerated().map { ($1.name, SVGColours.series($0), false) }
      + chart.references.enumerated().map { ($1.name, SVGColours.reference($0), true) }
    let rows = LegendRows(named.map(\.0), left: left, right: width - right)
    for ((name, colour, isLine), (x, y)) in zip(named, rows.positions) {
      entries.append(LegendEntry(x: x, y: y, name: name, colour: colour, isLine: isLine))
    }
    legend = entries
    plotTop = rows.bottom + 30
  }

  private var plotBottom: Double { plotTop + plotHeight }

  private var height: Double {
    guard labelsAreTurned else { return plotBottom + 40 }
    let longest = Double(chart.groups.map(\.count).max() ?? 0) * SVGShape.letter
    return plotBottom + 30 + longest * 0.5
  }

  private func y(_ value: Double) -> Double {
    let value = value.isFinite ? max(value, 0) : 0
    return plotBottom - min(value / (ticks.last ?? 1), 1) * plotHeight
  }

  var svg: String {
    var text = SVGShape.label(
      chart.title, x: left, y: 28, extra: "font-size=\"16\" font-weight=\"bold\"")
    for entry in legend { text += draw(entry) }
    text += axis
    for (group, name) in chart.groups.enumerated() { text += draw(group, name) }
    for (index, reference) in chart.references.enumerated() {
      text += SVGShape.line(
        left, y(reference.value), width - right, y(reference.value),
        colour: SVGColours.reference(index), extra: SVGShape.dashes)
    }
    return SVGShape.document(
      title: chart.title, spoken: spoken, width: width, height: height, body: text)
  }

  /// The description and all numbers: what a reader with a screen reader needs.
  private var spoken: String {
    var sentences = [chart.description]
    for reference in chart.references {
      sentences.append("\(reference.name): \(format(reference.value)).")
    }
    for series in chart.series {
      let bars = zip(chart.groups, series.bars).compactMap { group, bar in
        bar.map { bar in
          var text = "\(group) \(format(bar.value))"
          if let low = bar.low, let high = bar.high, low != high {
            text += " (\(format(low)) to \(format(high)))"
          }
          return text
        }
      }
      sentences.append("\(series.name): \(bars.joined(separator: ", ")).")
    }
    return sentences.joined(separator: " ")
  }

  private func format(_ value: Double) -> String {
    SVGText.number(value, decimals: chart.decimals)
  }

  private func draw(_ entry: LegendEntry) -> String {
    let mark =
      entry.isLine
      ? SVGShape.line(
        entry.x, entry.y - 4, entry.x + 18, entry.y - 4, colour: entry.colour,
        extra: SVGShape.dashes)
      : SVGShape.rectangle(entry.x + 3, entry.y - 10, 12, 12, colour: entry.colour)
    return mark + SVGShape.label(entry.name, x: entry.x + 24, y: entry.y)
  }

  private var axis: String {
    var text = ""
    for tick in ticks {
      text += SVGShape.line(left, y(tick), width - right, y(tick), colour: SVGColours.rule)
      text += SVGShape.label(
        SVGText.number(tick, decimals: 6), x: left - 8, y: y(tick) + 4,
        extra: "text-anchor=\"end\"")
    }
    text += SVGShape.line(left, plotBottom, width - right, plotBottom, colour: SVGColours.axis)
    let middle = SVGText.number(plotTop + plotHeight / 2)
    return text
      + SVGShape.label(
        chart.valueLabel, x: 18, y: plotTop + plotHeight / 2,
        extra: "text-anchor=\"middle\" transform=\"rotate(-90 18 \(middle))\"")
  }

  private func draw(_ group: Int, _ name: String) -> String {
    let bars = barWidth * Double(chart.series.count)
    let start = left + Double(group) * groupWidth + (groupWidth - bars) / 2
    var text = ""
    for (index, series) in chart.series.enumerated() {
      guard series.bars.indices.contains(group), let bar = series.bars[group] else { continue }
      text += draw(bar, x: start + Double(index) * barWidth, colour: SVGColours.series(index))
    }
    let middle = start + bars / 2
    guard labelsAreTurned else {
      return text
        + SVGShape.label(name, x: middle, y: plotBottom + 20, extra: "text-anchor=\"middle\"")
    }
    let (x, y) = (SVGText.number(middle), SVGText.number(plotBottom + 16))
    return text
      + SVGShape.label(
        name, x: middle, y: plotBottom + 16,
        extra: "text-anchor=\"end\" transform=\"rotate(-30 \(x) \(y))\"")
  }

  private func draw(_ bar: BarChart.Bar, x: Double, colour: String) -> String {
    var text = SVGShape.rectangle(
      x + 2, y(bar.value), barWidth - 4, plotBottom - y(bar.value), colour: colour)
    var top = y(bar.value)
    let middle = x + barWidth / 2
    if let low = bar.low, let high = bar.high, low != high {
      text += SVGShape.line(middle, y(low), middle, y(high), colour: SVGColours.ink)
      for end in [low, high] {
        text += SVGShape.line(middle - 5, y(end), middle + 5, y(end), colour: SVGColours.ink)
      }
      top = min(top, y(high))
    }
    return text
      + SVGShape.label(
        format(bar.value), x: middle, y: top - 5,
        extra: "text-anchor=\"middle\" font-size=\"11\"")
  }
}
