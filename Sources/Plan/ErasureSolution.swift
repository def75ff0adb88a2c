/// The lost data blocks of a stripe as combinations of what is left, from one choice of parity
/// blocks: parity = A lost + B kept, so lost = inverse(A) parity - inverse(A) B kept.
struct ErasureSolution {
  /// Rows that are used, ascending.
  let chosen: [Int]
  /// By lost block, factors of the chosen rows.
  let parity: [[Double]]
  /// By lost block, factors of the kept blocks.
  let data: [[Double]]
  /// The largest factor by which independent relative errors of the inputs grow in a lost block, when
  /// all data blocks are equally large.
  let amplification: Double

  /// Solves for the lost blocks; nil if the chosen rows do not determine them.
  ///
  /// - Parameters:
  ///   - rows: coefficients over all data blocks, by surviving parity block.
  ///   - chosen: as many rows as there are lost blocks.
  init?(rows: [[Double]], chosen: [Int], lost: [Int], kept: [Int]) {
    guard let inverse = Self.inverse(chosen.map { row in lost.map { rows[row][$0] } }) else {
      return nil
    }
    var data: [[Double]] = []
    var gain = 0.0
    for factors in inverse {
      let kept = kept.map { block in
        -zip(factors, chosen).reduce(0.0) { sum, pair in sum + pair.0 * rows[pair.1][block] }
      }
      data.append(kept)
      // A parity block's rounding error follows its own size.
      var square = kept.reduce(0.0) { $0 + $1 * $1 }
      for (factor, row) in zip(factors, chosen) {
        square += factor * factor * rows[row].reduce(0.0) { $0 + $1 * $1 }
      }
      gain = max(gain, square)
    }
    self.chosen = chosen
    self.parity = inverse
    self.data = data
    amplification = gain.squareRoot()
  }

  /// Every way to choose `count` of `total` rows, in lexicographic order, up to a limit that no plan
  /// of ours comes near (eight devices have at most 35).
  static func choices(of count: Int, from total: Int, limit: Int = 4096) -> [[Int]] {
    var result: [[Int]] = []
    var current = Array(0..<count)
    while result.count < limit {
      result.append(current)
      guard let place = current.indices.last(where: { current[$0] < total - count + $0 }) else {
        break
      }
      current[place] += 1
      for later in (place + 1)..<max(count, place + 1) { current[later] = current[later - 1] + 1 }
    }
    return result
  }

  /// Gauss-Jordan with the largest pivot of each column; nil if the matrix is singular.
  static func inverse(_ matrix: [[Double]]) -> [[Double]]? {
    let size = matrix.count
    let scale = matrix.joined().reduce(0) { max($0, abs($1)) }
    var rows = matrix.enumerated().map { index, row in
      row + (0..<size).map { $0 == index ? 1 : 0 }
    }
    for column in 0..<size {
      guard let pivot = (column..<size).max(by: { abs(rows[$0][column]) < abs(rows[$1][column]) }),
        abs(rows[pivot][column]) > 1e-9 * scale
      else { return nil }
      rows.swapAt(column, pivot)
      let factor = rows[column][column]
      rows[column] = rows[column].map { $0 / factor }
      for other in 0..<size where other != column && rows[other][column] != 0 {
        let times = rows[other][column]
        for index in column..<(2 * size) { rows[other][index] -= times * rows[column][index] }
      }
    }
    return rows.map { Array($0[size...]) }
  }
}
