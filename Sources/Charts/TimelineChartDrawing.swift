/// Lays a `TimelineChart` out and writes it.
struct TimelineChartDrawing {
  private let chart: TimelineChart
  private let ticks: [Double]
  private let left: Double
  private let legend: LegendRows
  private let plotTop: Double

  private let width = 460.0
  private let right = 20.0
  private let rowHeight = 30.0

  init(_ chart: TimelineChart) {
    self.chart = chart
    let ends = chart.rows.flatMap(\.spans).filter { $0.start.isFinite && $0.end.isFinite }
    let end = ends.map(\.end).max() ?? 1
    // What was there before the beginning is cut off at the axis.
    ticks = AxisTicks(maximum: end).values
    left = 30 + Double(chart.rows.map(\.name.count).max() ?? 0) * SVGShape.letter
    legend = LegendRows(chart.kinds, left: left, right: width - right)
    plotTop = legend.bottom + 20
  }

  private var plotBottom: Double { plotTop + rowHeight * Double(max(chart.rows.count, 1)) }

  private func x(_ value: Double) -> Double {
    let share = min(max(value / (ticks.last ?? 1), 0), 1)
    return left + share * (width - left - right)
  }

  var svg: String {
    var text = SVGShape.label(
      chart.title, x: 16, y: 28, extra: "font-size=\"16\" font-weight=\"bold\"")
    for (kind, place) in legend.positions.enumerated() {
      text += SVGShape.rectangle(
        place.x + 3, place.y - 10, 12, 12, colour: SVGColours.series(kind))
      text += SVGShape.label(chart.kinds[kind], x: place.x + 24, y: place.y)
    }
    for tick in ticks {
      text += SVGShape.line(x(tick), plotTop, x(tick), plotBottom, colour: SVGColours.rule)
      text += SVGShape.label(
        SVGText.number(tick, decimals: 6), x: x(tick), y: plotBottom + 18,
        extra: "text-anchor=\"middle\"")
    }
    for (index, row) in chart.rows.enumerated() { text += draw(row, index) }
    text += SVGShape.line(left, plotBottom, width - right, plotBottom, colour: SVGColours.axis)
    text += SVGShape.label(
      chart.xLabel, x: (left + width - right) / 2, y: plotBottom + 38,
      extra: "text-anchor=\"middle\"")
    return SVGShape.document(
      title: chart.title, spoken: spoken, width: width, height: plotBottom + 50, body: text)
  }

  private func draw(_ row: TimelineChart.Row, _ index: Int) -> String {
    let top = plotTop + rowHeight * Double(index)
    var text = SVGShape.label(
      row.name, x: left - 8, y: top + rowHeight / 2 + 4, extra: "text-anchor=\"end\"")
    for span in row.spans where span.start.isFinite && span.end.isFinite {
      let (from, to) = (x(span.start), x(span.end))
      guard to - from > 0.05 else { continue }
      text += SVGShape.rectangle(
        from, top + 4, to - from, rowHeight - 8, colour: SVGColours.series(span.kind),
        name: span.name)
    }
    return text
  }

  /// The description and how long each row spends in each kind: what a reader with a screen reader
  /// needs.
  private var spoken: String {
    let rows = chart.rows.map { row in
      let sums = chart.kinds.indices.compactMap { kind -> String? in
        let total = row.spans.filter { $0.kind == kind }.reduce(0) {
          $0 + max(0, $1.end - max($1.start, 0))
        }
        return total > 0 ? "\(chart.kinds[kind]) \(SVGText.number(total, decimals: 3))" : nil
      }
      return "\(row.name): \(sums.isEmpty ? "nothing" : sums.joined(separator: ", "))."
    }
    return ([chart.description] + rows).joined(separator: " ")
  }
}
