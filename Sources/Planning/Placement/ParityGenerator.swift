/// The factors with which parity blocks combine data blocks.
///
/// A code over the reals that survives any `parity` losses needs a matrix without a singular square
/// submatrix, and to survive them in single precision it needs all of them well conditioned. The
/// tables come from minimising the worst condition number, over every choice of `data` surviving
/// blocks, of the equations that those give for the data (each scaled to length one), and are rounded
/// to two digits. The condition number bounds how much a relative error can grow in decoding:
///
/// | data \ parity | 1 | 2 | 3 | 4 | 5 | 6 | 7 |
/// |---|---|---|---|---|---|---|---|
/// | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 |
/// | 2 | 2.5 | 2.5 | 3.8 | 3.8 | 5.1 | 5.1 | |
/// | 3 | 3.2 | 4.4 | 5.8 | 6.8 | 14.2 | | |
/// | 4 | 3.8 | 6.2 | 10.1 | 15.9 | | | |
/// | 5 | 4.3 | 8.6 | 14.8 | | | | |
/// | 6 | 4.7 | 10.8 | | | | | |
/// | 7 | 5.1 | | | | | | |
///
/// With one parity block the factors are 1 (coded distributed computing), with one data block the
/// parity blocks are copies.
package enum ParityGenerator {
  /// The most blocks of a stripe, data and parity, for which there are tables.
  package static let maximumBlocks = 8

  /// By parity block, one factor for each data block.
  ///
  /// - Precondition: `data` is 1, `parity` at most 1, or both together at most `maximumBlocks`.
  package static func coefficients(data: Int, parity: Int) -> [[Float]] {
    if data <= 1 || parity <= 1 {
      return Array(repeating: Array(repeating: 1, count: data), count: parity)
    }
    guard let table = tables[[data, parity]] else {
      preconditionFailure("no table for \(data) data and \(parity) parity blocks")
    }
    return table
  }

  private static let tables: [[Int]: [[Float]]] = [
    [2, 2]: [[1, -1], [1, 1]],
    [2, 3]: [[1, 0.58], [0.58, 1], [1, -1]],
    [2, 4]: [[0.58, -1], [1, 0.58], [1, -0.58], [0.58, 1]],
    [2, 5]: [[1, -0.58], [1, 1], [0.41, 1], [1, 0.41], [0.58, -1]],
    [2, 6]: [[1, -0.41], [1, 1], [1, -1], [0.41, -1], [0.41, 1], [1, 0.41]],
    [3, 2]: [[0.57, 0.57, -1], [1, -0.57, -0.57]],
    [3, 3]: [[1, 0.65, -0.65], [0.65, -0.65, -1], [0.65, 1, 0.65]],
    [3, 4]: [
      [0.88, 0.41, -1],
      [1, -0.65, 0.36],
      [0.59, 1, 0.71],
      [0.37, -0.71, -1],
    ],
    [3, 5]: [
      [0.81, -0.97, 1],
      [1, -0.17, 0.53],
      [0.18, -0.69, 1],
      [0.15, 1, -0.28],
      [0.56, -1, -0.17],
    ],
    [4, 2]: [[0.5, 1, 0.5, -1], [1, 0.5, -1, 0.5]],
    [4, 3]: [
      [1, -0.31, -0.65, 0.72],
      [0.3, -1, -0.72, -0.81],
      [0.88, -0.7, 0.31, -1],
    ],
    [4, 4]: [
      [0.19, -0.57, 0.96, 1],
      [1, -0.27, -0.54, 0.15],
      [0.62, -0.71, 0.18, -1],
      [0.49, 1, 0.47, 0.25],
    ],
    [5, 2]: [[0.74, 0.36, 0.36, -0.77, 1], [0.74, -0.77, 1, 0.36, 0.36]],
    [5, 3]: [
      [0.38, 0.56, -0.37, -1, -0.49],
      [0.24, -0.64, 0.84, 0.5, -1],
      [1, 0.79, 0.56, -0.2, -0.34],
    ],
    [6, 2]: [[1, 0.33, -0.71, 0.33, 1, 0.71], [0.33, 1, 0.71, -1, -0.33, 0.71]],
  ]
}
