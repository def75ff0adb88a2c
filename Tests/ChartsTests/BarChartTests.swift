import Charts
import Glibc
import Testing

@Suite("Bar charts")
struct BarChartTests {
  private let chart = BarChart(
    title: "Accuracy & <failures>", description: "Three \"methods\".",
    valueLabel: "top-1 accuracy, %",
    groups: ["A: 1 of 4 failed", "A: 2 of 4 failed"],
    series: [
      .init(name: "robustdice", bars: [.init(52.4, low: 50, high: 54.25), .init(45.28)]),
      .init(name: "lop", bars: [.init(41.07), nil]),
    ], references: [.init(name: "no failures", value: 56.55)])

  @Test("are well-formed and say everything in words")
  func wellFormed() throws {
    let svg = chart.svg
    let elements = try Markup.elements(svg)
    #expect(elements.first == "svg")
    #expect(elements.contains("title") && elements.contains("desc"))
    #expect(elements.count { $0 == "rect" } == 1 + 2 + 3, "background, legend and bars")
    #expect(svg.contains("xmlns=\"http://www.w3.org/2000/svg\""))
    #expect(svg.contains("Accuracy &amp; &lt;failures&gt;"))
    #expect(svg.contains("A: 1 of 4 failed 52.4 (50 to 54.3), A: 2 of 4 failed 45.3."))
    #expect(svg.contains("no failures: 56.6."))
    #expect(!svg.contains("href"), "nothing from elsewhere")
  }

  /// Every colour that is drawn with, on white and on dark paper, is seen: a contrast of 3 by the rules
  /// for graphics of WCAG 2.1, but for pale ones that stand beside their names and numbers.
  @Test("can be seen on white and on dark paper")
  func contrast() throws {
    #expect(chart.svg.contains("@media screen and (prefers-color-scheme:dark){"))
    func luminance(_ colour: Substring) throws -> Double {
      let value = try #require(Int(colour.dropFirst(), radix: 16))
      let parts = [value >> 16, value >> 8 & 255, value & 255].map { part in
        let share = Double(part) / 255
        return share <= 0.04045 ? share / 12.92 : pow((share + 0.055) / 1.055, 2.4)
      }
      return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
    }
    func ratio(_ one: Double, _ other: Double) -> Double {
      (max(one, other) + 0.05) / (min(one, other) + 0.05)
    }
    let many = BarChart(
      title: "", description: "", valueLabel: "", groups: ["a"],
      series: (0..<8).map { .init(name: "\($0)", bars: [.init(1, low: 0, high: 2)]) },
      references: (0..<3).map { .init(name: "r\($0)", value: 1) })
    let body = try #require(many.svg.split(separator: "</style>").last)
    var exchanged: [Substring: Substring] = [:]
    for rule in try #require(many.svg.split(separator: "dark){").last?.split(separator: "}}").first)
      .split(separator: "}")
    {
      let colours = rule.split(separator: "#").dropFirst().map { "#" + $0.prefix(6) }
      exchanged[Substring(colours[0])] = Substring(colours[1])
    }
    let dark = try luminance(try #require(exchanged["#ffffff"]))
    var colours: Set<Substring> = []
    for name in ["fill=\"#", "stroke=\"#"] {
      for piece in body.split(separator: name).dropFirst() { colours.insert("#" + piece.prefix(6)) }
    }
    #expect(colours.count >= 8 + 3 + 2)
    for colour in colours where colour != "#ffffff" && colour != "#dddddd" {
      let own = try luminance(exchanged[colour] ?? colour)
      #expect(ratio(own, dark) >= 3, "\(colour) on dark paper")
    }
  }

  @Test("survive whatever they are given")
  func extremes() throws {
    var odd = chart
    odd.title = "\u{0}\u{1B}[31m"
    odd.series[0].bars = [.init(.nan, low: -1, high: .infinity), .init(-5)]
    odd.references = [.init(name: "", value: .nan)]
    #expect(try Markup.elements(odd.svg).first == "svg")
    let empty = BarChart(title: "", description: "", valueLabel: "", groups: [], series: [])
    #expect(try Markup.elements(empty.svg).first == "svg")
    let many = BarChart(
      title: "many", description: "", valueLabel: "", groups: (0..<9).map { "a long name \($0)" },
      series: (0..<12).map { series in
        .init(name: "s\(series)", bars: (0..<9).map { .init(Double($0 * series)) })
      })
    #expect(try Markup.elements(many.svg).first == "svg")
  }

  @Test("bars are as high as their values")
  func heights() throws {
    // Ticks for 56.55 end at 60.
    let heights = chart.svg.split(separator: "\n").filter { $0.hasPrefix("<rect x=") }.compactMap {
      line in
      line.firstRange(of: "height=\"").flatMap { range in
        Double(line[range.upperBound...].prefix { $0 != "\"" })
      }
    }.filter { $0 > 12 }
    #expect(heights.count == 3)
    for (height, value) in zip(heights, [52.4, 41.07, 45.28]) {
      #expect(abs(height - 280 * value / 60) < 0.02)
    }
  }
}

/// Just enough of an XML reader to see that tags are balanced and text is escaped.
enum Markup {
  struct Malformed: Error { var at: String }

  /// The names of the elements in document order.
  static func elements(_ text: String) throws -> [String] {
    var rest = text[...]
    var open: [String] = []
    var result: [String] = []
    while let start = rest.firstIndex(of: "<") {
      try check(rest[..<start])
      guard let end = rest[start...].firstIndex(of: ">") else { throw Malformed(at: "\(rest)") }
      let tag = rest[rest.index(after: start)..<end]
      rest = rest[rest.index(after: end)...]
      if tag.hasPrefix("/") {
        guard open.popLast() == String(tag.dropFirst()) else { throw Malformed(at: "\(tag)") }
        continue
      }
      let name = String(tag.prefix { $0.isLetter })
      try checkAttributes(tag.dropFirst(name.count))
      result.append(name)
      if !tag.hasSuffix("/") { open.append(name) }
    }
    guard open.isEmpty, rest.allSatisfy(\.isWhitespace) else { throw Malformed(at: "\(open)") }
    return result
  }

  private static func checkAttributes(_ text: Substring) throws {
    guard text.count(where: { $0 == "\"" }) % 2 == 0 else { throw Malformed(at: "\(text)") }
    try check(text)
    let outside = text.split(separator: "\"", omittingEmptySubsequences: false)
      .enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
    for piece in outside.dropLast() {
      guard piece.hasSuffix("="), piece.hasPrefix(" ") else { throw Malformed(at: "\(text)") }
    }
  }

  private static func check(_ text: Substring) throws {
    guard text.unicodeScalars.allSatisfy({ $0.value >= 32 || $0 == "\n" }) else {
      throw Malformed(at: "\(text)")
    }
    for piece in text.split(separator: "&", omittingEmptySubsequences: false).dropFirst() {
      let name = piece.prefix { $0 != ";" }
      guard ["amp", "lt", "gt", "quot"].contains(name) else { throw Malformed(at: "\(piece)") }
    }
  }
}
