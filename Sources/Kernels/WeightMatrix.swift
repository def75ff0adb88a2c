import CKernels
import Tensors

/// The weights of a convolution or a dense layer, a row for each output, in whatever type they are
/// stored: the one place where a product meets it.
struct WeightMatrix {
  /// The elements, row after row.
  enum Elements {
    case floats(UnsafePointer<Float>)
    case halves(UnsafePointer<UInt16>)
    case bytes(UnsafePointer<Int8>, scales: UnsafePointer<Float>)
  }

  let elements: Elements
  /// Elements of a row.
  let columns: Int

  /// Rows and columns of what is widened at a time, 256 KiB as float32: it is written and read in cache.
  private static let panelRows = 256
  static let panelColumns = 256

  /// Floats that panels of weights of a type need.
  static func panelCount(_ type: ElementType, rows: Int, columns: Int) -> Int {
    type == .float32 ? 0 : min(rows, panelRows) * min(columns, panelColumns)
  }

  /// Columns that are multiplied at a time: all of them where nothing is widened.
  var columnsAtATime: Int {
    if case .floats = elements { return max(columns, 1) }
    return Self.panelColumns
  }

  /// y = act(w x + b) for some rows; x has an element for each column, y and b one for each of the rows.
  /// Narrow weights become float32 in registers.
  func multiply(
    _ rows: Range<Int>, _ x: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
    _ act: ck_activation, into y: UnsafeMutablePointer<Float>
  ) {
    let start = rows.lowerBound * columns
    switch elements {
    case .floats(let w): ck_gemv(w + start, x, bias, y, rows.count, columns, act)
    case .halves(let w): ck_gemv_halves(w + start, x, bias, y, rows.count, columns, act)
    case .bytes(let w, let scales):
      ck_gemv_bytes(w + start, scales + rows.lowerBound, x, bias, y, rows.count, columns, act)
    }
  }

  /// Calls `body` with matrices of float32 that cover some rows and columns, each with the rows that it
  /// has.
  ///
  /// - Parameters:
  ///   - selected: of narrow weights at most `panelColumns`.
  ///   - scratch: `panelCount` floats.
  func forEachPanel(
    rows: Range<Int>, columns selected: Range<Int>, _ scratch: UnsafeMutablePointer<Float>,
    _ body: (Range<Int>, Matrix<UnsafePointer<Float>>) -> Void
  ) {
    if case .floats(let w) = elements {
      let start = w + rows.lowerBound * columns + selected.lowerBound
      return body(rows, Matrix(base: start, stride: columns))
    }
    var first = rows.lowerBound
    while first < rows.upperBound {
      let some = first..<min(first + Self.panelRows, rows.upperBound)
      widen(some, selected, into: scratch)
      body(some, Matrix(base: UnsafePointer(scratch), stride: selected.count))
      first = some.upperBound
    }
  }

  private func widen(
    _ rows: Range<Int>, _ selected: Range<Int>, into target: UnsafeMutablePointer<Float>
  ) {
    let start = rows.lowerBound * columns + selected.lowerBound
    switch elements {
    case .floats: preconditionFailure("float32 is not widened")
    case .halves(let w): ck_widen_halves(w + start, columns, rows.count, selected.count, target)
    case .bytes(let w, let scales):
      ck_widen_bytes(
        w + start, columns, scales + rows.lowerBound, rows.count, selected.count, target)
    }
  }
}
