import Foundations
import Tables
import Testing

@Suite struct TextTableTests {
  private func widths(_ text: String) -> [Int] {
    text.split(separator: "\n", omittingEmptySubsequences: false).map {
      VisibleText.width(String($0))
    }
  }

  @Test func whatFitsIsOneBlock() {
    var table = TextTable("device", "watts", "fills")
    table.add("d0", "~3.25", "lost 4")
    table.add("camera", "-", "-")
    #expect(
      table.text(width: 80) == """
        device  watts  fills
        d0      ~3.25  lost 4
        camera      -  -
        """)
  }

  @Test func headersFoldBeforeColumnsDo() {
    var table = TextTable("devices counted on", "parts missing", "ms")
    table.add("d0 d1", "12", "3.5")
    #expect(
      table.text(width: 25) == """
        devices
        counted    parts
        on       missing   ms
        d0 d1         12  3.5
        """)
  }

  @Test func longListsFoldInTheirCells() {
    var table = TextTable("device", "fills", "ms")
    table.add("d0", "deadline 3, lost 12, suspect 999, corrupt 4", "1.5")
    table.add("d1", "-", "2.5")
    let text = table.text(width: 40)
    #expect(
      text == """
        device  fills                    ms
        d0      deadline 3, lost 12,    1.5
                suspect 999, corrupt 4
        d1      -                       2.5
        """)
  }

  @Test func columnsThatAreLeftOverStandBelow() {
    var table = TextTable((0..<12).map { "column\($0)" })
    for row in 0..<3 { table.add((0..<12).map { $0 == 0 ? "row \(row)" : "x\($0)-\(row)" }) }
    let text = table.text(width: 40)
    #expect(widths(text).allSatisfy { $0 <= 40 })
    let blocks = text.split(separator: "\n\n")
    #expect(blocks.count > 1)
    for block in blocks {
      let lines = block.split(separator: "\n")
      #expect(lines.count == 4 && lines[1].hasPrefix("row 0") && lines[3].hasPrefix("row 2"))
    }
    // Every cell is there, once.
    for column in 1..<12 {
      #expect(text.split(separator: "x\(column)-1").count == 2, "\(column)")
    }
  }

  @Test(arguments: 1...40) func everythingFitsEveryWidth(_ seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let columns = Int.random(in: 1...14, using: &random)
    func word(_ longest: Int) -> String {
      String(
        (0..<Int.random(in: 1...longest, using: &random)).map { _ in
          "abc1é漢".randomElement(using: &random) ?? "a"
        })
    }
    func cell() -> String {
      (0..<Int.random(in: 0...6, using: &random)).map { _ in word(8) }.joined(separator: " ")
    }
    var table = TextTable((0..<columns).map { _ in cell() })
    for _ in 0..<6 { table.add((0..<columns).map { _ in cell() }) }
    for width in [40, 60, 80, 200] {
      // Words of eight wide characters, beside a first column like it.
      let most = widths(table.text(width: width)).max() ?? 0
      #expect(most <= max(width, 2 * 16 + 2 + 16), "seed \(seed), width \(width): \(most)")
    }
  }

  @Test func nothingForeignSteersTheTerminal() {
    var table = TextTable("a", "b")
    table.add("\u{1B}[31mred", "x\ny")
    #expect(!table.text(width: 80).contains("\u{1B}"))
    #expect(table.text(width: 80).split(separator: "\n").count == 2)
    // Too few cells and too many.
    table.add("1")
    table.add("1", "2", "beyond")
    #expect(!table.text(width: 80).contains("beyond"))
  }
}

@Suite struct TextFoldingTests {
  @Test func paragraphsHang() {
    #expect(
      TextFolding.paragraph("  one two three four", width: 11, hanging: 2) == """
          one two
            three
            four
        """)
    #expect(TextFolding.paragraph("short", width: 80, hanging: 2) == "short")
    #expect(TextFolding.paragraph("averyveryverylongword", width: 5) == "averyveryverylongword")
    #expect(TextFolding.lines("a b c", width: 3) == ["a b", "c"])
    #expect(TextFolding.lines("", width: 0) == [""])
  }
}

@Suite struct TitledTableTests {
  private var table: TitledTable {
    var table = TitledTable("Devices \u{7}", ["device", "a|b"])
    table.rows = [["d0", "1|2"], ["d1", "||"]]
    table.notes = ["a note that is so long that it has to go on in another line than its first"]
    return table
  }

  @Test func textFitsWithItsNotes() {
    let lines = table.text(width: 40).split(separator: "\n")
    #expect(lines.allSatisfy { $0.count <= 40 } && lines[0] == "Devices \\u{7}")
    #expect(lines.last == "    go on in another line than its first")
  }

  @Test func markdownAndCSVEscape() {
    #expect(table.markdown.contains("| d0 | 1\\|2 |") && table.markdown.contains("| d1 | \\|\\| |"))
    #expect(table.csv == "device,a|b\nd0,1|2\nd1,||")
    #expect(CSVText.line(["a,b", "c\"d", ""]) == "\"a,b\",\"c\"\"d\",")
  }
}

@Suite struct NumberTextTests {
  @Test func numbersReadWell() {
    #expect(1.005.formatted(1) == "1.0" && (-0.04).formatted(1) == "0.0")
    #expect(Double.nan.formatted(1) == "-" && Double.infinity.asBytes == "-")
    #expect(1e300.formatted(2) == "1e+300" && 1e300.asBytes == Int.max.asBytes)
    #expect(18446744073709551615.0.asBytes == Int.max.asBytes && (-1e300).asBytes == "\(Int.min) B")
    #expect(1_250_000.asBytes == "1.3 MB" && 12_500.asCount == "12.5 k")
  }
}
