import Engine
import Plan
import Testing

/// What stands in for lost rows.
@Suite struct RowFillTests {
  /// Two blocks of five rows of two elements: 1, 2 in the first row, 3, 4 in the second, and so on.
  private func filled(_ fill: Plan.RowFill, _ lost: [Int]) -> [[Float]] {
    var values = (0..<20).map { Float($0 % 10 + 1) }
    for block in 0..<2 {
      for row in lost { for column in 0..<2 { values[block * 10 + row * 2 + column] = .nan } }
    }
    values.withUnsafeMutableBufferPointer { buffer in
      if let start = buffer.baseAddress {
        fill.fill(lost, of: start, outer: 2, extent: 5, inner: 2)
      }
    }
    #expect(values[..<10] == [Float](values[10...])[...], "blocks are alike")
    return (0..<5).map { Array(values[$0 * 2..<$0 * 2 + 2]) }
  }

  @Test func zeroIsZero() {
    #expect(filled(.zero, [1, 4]) == [[1, 2], [0, 0], [5, 6], [7, 8], [0, 0]])
  }

  @Test func theMeanIsThatOfTheRowsThatCame() {
    // Rows 0, 2 and 3: (1 + 5 + 7) / 3 and (2 + 6 + 8) / 3.
    let mean = [Float(13) / 3, Float(16) / 3]
    #expect(filled(.mean, [4, 1]) == [[1, 2], mean, [5, 6], [7, 8], mean])
  }

  @Test func theNearestWinsAndOfTwoTheUpperOne() {
    #expect(filled(.nearest, [1]) == [[1, 2], [1, 2], [5, 6], [7, 8], [9, 10]])
    #expect(filled(.nearest, [0, 1]) == [[5, 6], [5, 6], [5, 6], [7, 8], [9, 10]])
    #expect(filled(.nearest, [1, 2, 3]) == [[1, 2], [1, 2], [1, 2], [9, 10], [9, 10]])
    #expect(filled(.nearest, [3, 4]) == [[1, 2], [3, 4], [5, 6], [5, 6], [5, 6]])
  }

  @Test(arguments: Plan.RowFill.allCases) func withoutAnyRowThereAreZeros(_ fill: Plan.RowFill) {
    #expect(filled(fill, [0, 1, 2, 3, 4]) == Array(repeating: [0, 0], count: 5))
  }

  @Test(arguments: Plan.RowFill.allCases) func nothingLostChangesNothing(_ fill: Plan.RowFill) {
    #expect(filled(fill, []) == [[1, 2], [3, 4], [5, 6], [7, 8], [9, 10]])
  }
}
