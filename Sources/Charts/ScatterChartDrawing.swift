/// Lays a `ScatterChart` out and writes it.
struct ScatterChartDrawing {
  private let chart: ScatterChart
  private let xTicks: [Double]
  private let yTicks: [Double]
  private let legend: LegendRows
  private let columns: Int

  private let panelWidth = 440.0
  private let panelHeight = 330.0
  private let plotWidth = 360.0
  private let plotHeight = 240.0
  /// From a panel's corner to its plot's.
  private let inset = (x: 62.0, y: 34.0)

  init(_ chart: ScatterChart) {
    self.chart = chart
    let points =
      chart.series.flatMap { $0.points.flatMap { $0 } } + chart.panels.flatMap(\.front)
    let places = points.map(\.x).filter(\.isFinite)
    xTicks = AxisTicks(from: places.min() ?? 0, to: places.max() ?? 1).values
    let heights = points.flatMap { [$0.y, $0.high ?? $0.y] } + chart.references.map(\.value)
    yTicks = AxisTicks(maximum: heights.filter(\.isFinite).max() ?? 1).values
    columns = min(max(chart.panels.count, 1), 2)
    legend = LegendRows(
      chart.series.map(\.name) + [chart.frontName] + chart.references.map(\.name), left: inset.x,
      right: Double(columns) * panelWidth - 18)
  }

  private var hasFront: Bool { chart.panels.contains { !$0.front.isEmpty } }

  private func x(_ value: Double) -> Double {
    let (first, last) = (xTicks.first ?? 0, xTicks.last ?? 1)
    let share = value.isFinite ? (value - first) / (last - first) : 0
    return min(max(share, 0), 1) * plotWidth
  }

  private func y(_ value: Double) -> Double {
    let share = value.isFinite ? value / (yTicks.last ?? 1) : 0
    return plotHeight - min(max(share, 0), 1) * plotHeight
  }

  var svg: String {
    var text = SVGShape.label(
      chart.title, x: inset.x, y: 28, extra: "font-size=\"16\" font-weight=\"bold\"")
    text += drawnLegend
    for (number, panel) in chart.panels.enumerated() {
      let left = Double(number % columns) * panelWidth + inset.x
      let top = legend.bottom + 14 + Double(number / columns) * panelHeight + inset.y
      text += "<g transform=\"translate(\(SVGText.number(left)) \(SVGText.number(top)))\">\n"
      text += draw(panel, number) + "</g>\n"
    }
    let rows = (chart.panels.count + columns - 1) / columns
    return SVGShape.document(
      title: chart.title, spoken: spoken, width: Double(columns) * panelWidth,
      height: legend.bottom + 14 + Double(rows) * panelHeight, body: text)
  }

  private var drawnLegend: String {
    var text = ""
    let count = chart.series.count
    for (number, series) in chart.series.enumerated() {
      let (x, y) = legend.positions[number]
      if series.isJoined {
        text += SVGShape.line(x, y - 4, x + 18, y - 4, colour: SVGColours.series(number))
      }
      text += ScatterMarker(series: number).svg(x: x + 9, y: y - 4)
      text += SVGShape.label(series.name, x: x + 24, y: y)
    }
    if hasFront {
      let (x, y) = legend.positions[count]
      text += SVGShape.line(x, y - 4, x + 18, y - 4, colour: "#bbbbbb", extra: frontStyle)
      text += SVGShape.label(chart.frontName, x: x + 24, y: y)
    }
    for (number, reference) in chart.references.enumerated() {
      let (x, y) = legend.positions[count + 1 + number]
      text += SVGShape.line(
        x, y - 4, x + 18, y - 4, colour: SVGColours.reference(number), extra: SVGShape.dashes)
      text += SVGShape.label(reference.name, x: x + 24, y: y)
    }
    return text
  }

  private var frontStyle: String { "stroke-width=\"5\" stroke-opacity=\"0.6\"" }

  // MARK: Panels, in coordinates of their plot

  private func draw(_ panel: ScatterChart.Panel, _ number: Int) -> String {
    var text = axes(panel.name)
    text += SVGShape.polyline(staircase(panel.front), colour: "#bbbbbb", extra: frontStyle)
    for (index, reference) in chart.references.enumerated() {
      let height = y(reference.value)
      text += SVGShape.line(
        0, height, plotWidth, height, colour: SVGColours.reference(index),
        extra: SVGShape.dashes)
    }
    // Markers last: lines and whiskers of one series must not hide those of another.
    let own = chart.series.map {
      $0.points.indices.contains(number) ? $0.points[number].sorted { $0.x < $1.x } : []
    }
    for (index, points) in own.enumerated() {
      text += points.map { whisker($0, colour: SVGColours.series(index)) }.joined()
      guard chart.series[index].isJoined else { continue }
      text += SVGShape.polyline(
        points.map { (x($0.x), y($0.y)) }, colour: SVGColours.series(index),
        extra: "stroke-width=\"1.5\"")
    }
    for (index, points) in own.enumerated() {
      let marker = ScatterMarker(series: index)
      text += points.map { marker.svg(x: x($0.x), y: y($0.y)) }.joined()
    }
    return text
  }

  private func axes(_ name: String) -> String {
    var text = SVGShape.label(
      name, x: plotWidth / 2, y: -12, extra: "text-anchor=\"middle\" font-weight=\"bold\"")
    for tick in yTicks {
      text += SVGShape.line(0, y(tick), plotWidth, y(tick), colour: SVGColours.rule)
      text += SVGShape.label(
        SVGText.number(tick, decimals: 6), x: -8, y: y(tick) + 4, extra: "text-anchor=\"end\"")
    }
    for tick in xTicks {
      text += SVGShape.line(x(tick), plotHeight, x(tick), plotHeight + 5, colour: SVGColours.axis)
      text += SVGShape.label(
        SVGText.number(tick, decimals: 6), x: x(tick), y: plotHeight + 19,
        extra: "text-anchor=\"middle\"")
    }
    text += SVGShape.line(0, plotHeight, plotWidth, plotHeight, colour: SVGColours.axis)
    text += SVGShape.label(
      chart.xLabel, x: plotWidth / 2, y: plotHeight + 38, extra: "text-anchor=\"middle\"")
    let middle = SVGText.number(plotHeight / 2)
    return text
      + SVGShape.label(
        chart.yLabel, x: -44, y: plotHeight / 2,
        extra: "text-anchor=\"middle\" transform=\"rotate(-90 -44 \(middle))\"")
  }

  /// What is possible up to each place: to the right, then up.
  private func staircase(_ corners: [ScatterChart.Point]) -> [(x: Double, y: Double)] {
    var path: [(x: Double, y: Double)] = []
    for corner in corners.sorted(by: { ($0.x, $0.y) < ($1.x, $1.y) }) {
      if let last = path.last { path.append((x(corner.x), last.y)) }
      path.append((x(corner.x), y(corner.y)))
    }
    if let last = path.last { path.append((plotWidth, last.y)) }
    return path
  }

  private func whisker(_ point: ScatterChart.Point, colour: String) -> String {
    let (low, high) = (y(point.low ?? point.y), y(point.high ?? point.y))
    guard low != high else { return "" }
    let place = x(point.x)
    var text = SVGShape.line(
      place, low, place, high, colour: colour, extra: "stroke-opacity=\"0.5\"")
    for (end, isThere) in [(low, point.low != nil), (high, point.high != nil)] where isThere {
      text += SVGShape.line(
        place - 3, end, place + 3, end, colour: colour, extra: "stroke-opacity=\"0.7\"")
    }
    return text
  }
}

extension ScatterChartDrawing {
  /// The description and all numbers.
  private var spoken: String {
    func text(_ value: Double) -> String { SVGText.number(value) }
    var sentences = [chart.description]
    for reference in chart.references {
      sentences.append("\(reference.name): \(text(reference.value)).")
    }
    for (number, panel) in chart.panels.enumerated() {
      for series in chart.series where series.points.indices.contains(number) {
        let points = series.points[number].map { point in
          var words = "\(text(point.y)) at \(text(point.x))"
          if let low = point.low, low != point.y { words += ", down to \(text(low))" }
          if let high = point.high, high != point.y { words += ", up to \(text(high))" }
          return words
        }
        guard !points.isEmpty else { continue }
        sentences.append("\(panel.name), \(series.name): \(points.joined(separator: "; ")).")
      }
    }
    return sentences.joined(separator: " ")
  }
}
