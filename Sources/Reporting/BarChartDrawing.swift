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
  /// About what a letter of the 12 px font takes.
  private let letter = 6.8

  /// Okabe and Ito's colours, the dark ones first.
  private static let colours = [
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c6bb1", "#666666",
  ]
  private static let referenceColours = ["#c00000", "#444444", "#7a4a00"]

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
    width = max(480, left + right + (barWidth * count + groupGap) * groups)
    groupWidth = (width - left - right) / groups
    let longest = Double(chart.groups.map(\.count).max() ?? 0) * letter
    labelsAreTurned = longest > groupWidth - 4
    var entries: [LegendEntry] = []
    var (x, y) = (left, 62.0)
    let named =
      chart.series.enumerated().map { ($1.name, Self.colour($0), false) }
      + chart.references.enumerated().map {
        ($1.name, Self.referenceColours[$0 % Self.referenceColours.count], true)
      }
    for (name, colour, isLine) in named {
      let length = 24 + Double(name.count) * letter + 18
      if x > left, x + length > width - right { (x, y) = (left, y + 20) }
      entries.append(LegendEntry(x: x, y: y, name: name, colour: colour, isLine: isLine))
      x += length
    }
    legend = entries
    plotTop = y + 30
  }

  private static func colour(_ series: Int) -> String { colours[series % colours.count] }

  private var plotBottom: Double { plotTop + plotHeight }

  private var height: Double {
    guard labelsAreTurned else { return plotBottom + 40 }
    let longest = Double(chart.groups.map(\.count).max() ?? 0) * letter
    return plotBottom + 30 + longest * 0.5
  }

  private func y(_ value: Double) -> Double {
    let value = value.isFinite ? max(value, 0) : 0
    return plotBottom - min(value / (ticks.last ?? 1), 1) * plotHeight
  }

  var svg: String {
    let size = (SVGText.number(width), SVGText.number(height))
    var text = """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(size.0)" height="\(size.1)" \
      viewBox="0 0 \(size.0) \(size.1)" role="img" aria-labelledby="title description" \
      font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif" font-size="12">
      <title id="title">\(SVGText.escape(chart.title))</title>
      <desc id="description">\(SVGText.escape(spoken))</desc>
      <rect width="100%" height="100%" fill="#ffffff"/>

      """
    text += label(chart.title, x: left, y: 28, extra: "font-size=\"16\" font-weight=\"bold\"")
    for entry in legend { text += draw(entry) }
    text += axis
    for (group, name) in chart.groups.enumerated() { text += draw(group, name) }
    for (index, reference) in chart.references.enumerated() {
      text += line(
        left, y(reference.value), width - right, y(reference.value),
        colour: Self.referenceColours[index % Self.referenceColours.count],
        extra: "stroke-dasharray=\"6 4\" stroke-width=\"1.5\"")
    }
    return text + "</svg>\n"
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
      ? line(
        entry.x, entry.y - 4, entry.x + 18, entry.y - 4, colour: entry.colour,
        extra: "stroke-dasharray=\"6 4\" stroke-width=\"1.5\"")
      : rectangle(entry.x + 3, entry.y - 10, 12, 12, colour: entry.colour)
    return mark + label(entry.name, x: entry.x + 24, y: entry.y)
  }

  private var axis: String {
    var text = ""
    for tick in ticks {
      text += line(left, y(tick), width - right, y(tick), colour: "#dddddd")
      text += label(
        SVGText.number(tick, decimals: 6), x: left - 8, y: y(tick) + 4,
        extra: "text-anchor=\"end\"")
    }
    text += line(left, plotBottom, width - right, plotBottom, colour: "#333333")
    let middle = SVGText.number(plotTop + plotHeight / 2)
    return text
      + label(
        chart.valueLabel, x: 18, y: plotTop + plotHeight / 2,
        extra: "text-anchor=\"middle\" transform=\"rotate(-90 18 \(middle))\"")
  }

  private func draw(_ group: Int, _ name: String) -> String {
    let bars = barWidth * Double(chart.series.count)
    let start = left + Double(group) * groupWidth + (groupWidth - bars) / 2
    var text = ""
    for (index, series) in chart.series.enumerated() {
      guard series.bars.indices.contains(group), let bar = series.bars[group] else { continue }
      text += draw(bar, x: start + Double(index) * barWidth, colour: Self.colour(index))
    }
    let middle = start + bars / 2
    guard labelsAreTurned else {
      return text + label(name, x: middle, y: plotBottom + 20, extra: "text-anchor=\"middle\"")
    }
    let (x, y) = (SVGText.number(middle), SVGText.number(plotBottom + 16))
    return text
      + label(
        name, x: middle, y: plotBottom + 16,
        extra: "text-anchor=\"end\" transform=\"rotate(-30 \(x) \(y))\"")
  }

  private func draw(_ bar: BarChart.Bar, x: Double, colour: String) -> String {
    var text = rectangle(
      x + 2, y(bar.value), barWidth - 4, plotBottom - y(bar.value), colour: colour)
    var top = y(bar.value)
    let middle = x + barWidth / 2
    if let low = bar.low, let high = bar.high, low != high {
      text += line(middle, y(low), middle, y(high), colour: "#222222")
      for end in [low, high] {
        text += line(middle - 5, y(end), middle + 5, y(end), colour: "#222222")
      }
      top = min(top, y(high))
    }
    return text
      + label(
        format(bar.value), x: middle, y: top - 5,
        extra: "text-anchor=\"middle\" font-size=\"11\"")
  }

  private func rectangle(
    _ x: Double, _ y: Double, _ width: Double, _ height: Double, colour: String
  ) -> String {
    let n = [x, y, width, height].map { SVGText.number($0) }
    return "<rect x=\"\(n[0])\" y=\"\(n[1])\" width=\"\(n[2])\" height=\"\(n[3])\" "
      + "fill=\"\(colour)\"/>\n"
  }

  private func line(
    _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, colour: String, extra: String = ""
  ) -> String {
    let n = [x1, y1, x2, y2].map { SVGText.number($0) }
    return "<line x1=\"\(n[0])\" y1=\"\(n[1])\" x2=\"\(n[2])\" y2=\"\(n[3])\" "
      + "stroke=\"\(colour)\"\(extra.isEmpty ? "" : " " + extra)/>\n"
  }

  private func label(_ text: String, x: Double, y: Double, extra: String = "") -> String {
    "<text x=\"\(SVGText.number(x))\" y=\"\(SVGText.number(y))\" fill=\"#222222\""
      + "\(extra.isEmpty ? "" : " " + extra)>\(SVGText.escape(text))</text>\n"
  }
}
