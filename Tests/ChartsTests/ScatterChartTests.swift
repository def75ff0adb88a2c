import Charts
import Testing

@Suite("Scatter charts")
struct ScatterChartTests {
  private let chart = ScatterChart(
    title: "Copies & <accuracy>", description: "Two \"methods\".", xLabel: "copies",
    yLabel: "accuracy, %",
    panels: [
      .init(name: "1 of 4 fails", front: [.init(1, 40), .init(1.33, 90)]),
      .init(name: "2 of 4 fail"),
    ],
    series: [
      .init(
        name: "coded", isJoined: true,
        points: [[.init(2, 90.25), .init(1.33, 90, low: 88)], [.init(2, 90)]]),
      .init(name: "lop", points: [[.init(1, 40)], []]),
    ], references: [.init(name: "no failures", value: 91)])

  /// The values of an attribute of the elements of one name.
  private func numbers(_ svg: String, _ element: String, _ attribute: String) -> [Double] {
    svg.split(separator: "\n").filter { $0.hasPrefix("<\(element) ") }.compactMap { line in
      line.firstRange(of: "\(attribute)=\"").flatMap { range in
        Double(line[range.upperBound...].prefix { $0 != "\"" })
      }
    }
  }

  @Test("are well-formed and say everything in words")
  func wellFormed() throws {
    let svg = chart.svg
    let elements = try Markup.elements(svg)
    #expect(elements.first == "svg")
    #expect(elements.contains("title") && elements.contains("desc"))
    #expect(elements.count { $0 == "g" } == 2, "a group for each panel")
    #expect(svg.contains("fill=\"#ffffff\"/>"), "a white background")
    #expect(svg.contains("Copies &amp; &lt;accuracy&gt;"))
    #expect(svg.contains("1 of 4 fails, coded: 90.25 at 2; 90 at 1.33, down to 88."))
    #expect(!svg.contains("2 of 4 fail, lop"), "no points, no sentence")
    #expect(svg.contains("no failures: 91.") && svg.contains("Pareto front"))
    #expect(!svg.contains("href"), "nothing from elsewhere")
  }

  @Test("points lie where they belong")
  func places() throws {
    // The first series has circles: one in the legend, three points. Ticks go from 1 to 2 and to 100.
    let x = Array(numbers(chart.svg, "circle", "cx").dropFirst())
    let y = Array(numbers(chart.svg, "circle", "cy").dropFirst())
    let wantedX: [Double] = [0.33 * 360, 360, 360]
    let wantedY: [Double] = [0.1 * 240, 0.0975 * 240, 0.1 * 240]
    try #require(x.count == 3 && y.count == 3)
    for point in 0..<3 {
      #expect(abs(x[point] - wantedX[point]) < 0.02, "\(x)")
      #expect(abs(y[point] - wantedY[point]) < 0.02, "\(y)")
    }
  }

  @Test("sixteen series have sixteen markers, colours aside")
  func markers() throws {
    var many = chart
    many.series = (0..<16).map { .init(name: "s\($0)", points: [[.init(1, 50)], []]) }
    let svg = many.svg
    #expect(try Markup.elements(svg).first == "svg")
    let legend = svg.split(separator: "<g ")[0].split(separator: "\n").filter {
      $0.hasPrefix("<circle") || $0.hasPrefix("<polygon")
    }
    #expect(legend.count == 16)
    // The same shape comes twice, once with a white inside.
    #expect(legend.prefix(8).allSatisfy { !$0.contains("fill=\"#ffffff\"") })
    #expect(legend.suffix(8).allSatisfy { $0.contains("fill=\"#ffffff\"") })
  }

  @Test("survive whatever they are given")
  func extremes() throws {
    var odd = chart
    odd.title = "\u{0}\u{1B}[31m"
    odd.series[0].points = [[.init(.nan, .infinity, low: -1, high: .nan), .init(-5, -5)]]
    odd.references = [.init(name: "", value: .nan)]
    #expect(try Markup.elements(odd.svg).first == "svg")
    let empty = ScatterChart(
      title: "", description: "", xLabel: "", yLabel: "", panels: [], series: [])
    #expect(try Markup.elements(empty.svg).first == "svg")
    var alone = chart
    alone.series = [.init(name: "one", points: [[.init(2.5e9, 1)], []])]
    alone.panels[0].front = []
    #expect(try Markup.elements(alone.svg).first == "svg")
  }
}
