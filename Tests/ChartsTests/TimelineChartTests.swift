import Charts
import Testing

@Suite struct TimelineChartTests {
  private func chart(_ spans: [TimelineChart.Span]) -> TimelineChart {
    TimelineChart(
      title: "Who & when", description: "States.", xLabel: "seconds", kinds: ["up", "down"],
      rows: [.init(name: "d0", spans: spans), .init(name: "d1", spans: [])])
  }

  @Test func spansAreDrawnAndSpoken() {
    let svg = chart([
      .init(start: -5, end: 6, kind: 0, name: "d0 <up>"),
      .init(start: 6, end: 10, kind: 1, name: "d0 down"),
    ]).svg
    #expect(svg.contains("<title>d0 &lt;up&gt;</title>") && svg.contains("<title>d0 down</title>"))
    // What was before the beginning is neither drawn nor counted.
    #expect(svg.contains("d0: up 6, down 4.") && svg.contains("d1: nothing."))
    #expect(svg.contains(">Who &amp; when</text>") && !svg.contains("x=\"-"))
  }

  @Test func numbersThatAreNoneAreLeftOut() {
    let svg = chart([
      .init(start: .nan, end: 1, kind: 0, name: "a"),
      .init(start: 0, end: .infinity, kind: 0, name: "b"),
      .init(start: 2, end: 1, kind: 1, name: "c"),
    ]).svg
    #expect(!svg.contains("<title>a</title>") && !svg.contains("<title>b</title>"))
    #expect(!svg.contains("<title>c</title>") && !svg.contains("nan") && !svg.contains("inf"))
  }
}
