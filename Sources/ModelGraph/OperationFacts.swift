package import Foundations
package import Tensors

/// All that is known about one kind of operation but its kernel, its gradient and how files of other
/// formats name it. One file each, in the folder `Operations`; `Operation.all` lists them.
///
/// The synthesised coding of a conforming type is the operation's form in plans, beside its `kind`.
/// Shapes are those of the operands, in the order that the case of `Operation` documents, and of the
/// result.
package protocol OperationFacts: Sendable, Codable {
  /// The name as written in plans and listings.
  static var kind: String { get }
  /// How many operands there may be; one unless said otherwise.
  static var operandCounts: ClosedRange<Int> { get }

  /// The operation that these are the facts of.
  var operation: Operation { get }

  /// `kind`, or the function where that says more: `relu`, `multiply`, `maximumPooling`.
  var label: String { get }

  /// The shape of the result; see `Operation.outputShape(inputs:declared:)`, which checks the number
  /// of operands before and the declared shape afterwards.
  ///
  /// - Throws: `.invalidShape` when the operands do not fit the operation or each other.
  func outputShape(_ inputs: [Shape], declared: Shape?) throws(MartletError) -> Shape

  /// Checks everything that kernels rely on. Unless said otherwise: the shape of the result is
  /// inferred again, and must be this one.
  ///
  /// Attributes come from files that nobody need have checked; extents are below 2^31.
  ///
  /// - Throws: `.invalidShape`.
  func check(_ inputs: [Shape], result: Shape) throws(MartletError)

  /// Multiplications followed by additions in products; 0, unless said otherwise, for what is bound
  /// by memory and not by arithmetic.
  func multiplyAdds(_ inputs: [Shape], result: Shape) -> Int

  /// Whether entry i of the result's axis 0 depends on entry i of the batched operands alone.
  ///
  /// - Parameter operands: the shapes of the batched operands; nil for the others.
  func keepsBatch(_ operands: [Shape?], result: Shape) -> Bool

  /// The same for another extent of axis 0, where that is an attribute.
  func rebatched(to count: Int) -> Self

  /// What becomes of the channels of the first operand; unless said otherwise they are mixed, which
  /// is always right: everybody computes the result from whole values.
  func channelRule(_ inputs: [Shape], result: Shape) -> ChannelRule

  /// How each operand is read where only some rows of the result are computed; nil, unless said
  /// otherwise, for a result whose rows along that axis cannot be computed apart.
  ///
  /// - Parameters:
  ///   - axis: one of the result.
  ///   - inputs: at least one.
  func rows(axis: Int, _ inputs: [Shape], result: Shape) -> [RowRule.Operand]?

  /// Whether a result of the same shape always equals the first operand.
  func isIdentity(on shape: Shape) -> Bool

  /// The result for constant operands; nil, unless said otherwise, for what is not worth folding
  /// (products, pooling, normalisation) or operand types that it does not define.
  ///
  /// - Parameter shape: the result's shape, as `outputShape` gives it for these operands.
  /// - Throws: `.unsupported` for integer division by zero.
  func folded(_ operands: [Tensor], shape: Shape) throws(MartletError) -> Tensor?
}

// What most operations have in common.
extension OperationFacts {
  package static var operandCounts: ClosedRange<Int> { 1...1 }

  package var label: String { Self.kind }

  package func check(_ inputs: [Shape], result: Shape) throws(MartletError) {
    try checkInferred(inputs, result: result)
  }

  package func multiplyAdds(_ inputs: [Shape], result: Shape) -> Int { 0 }

  package func rebatched(to count: Int) -> Self { self }

  package func channelRule(_ inputs: [Shape], result: Shape) -> ChannelRule { .mixing }

  package func rows(axis: Int, _ inputs: [Shape], result: Shape) -> [RowRule.Operand]? { nil }

  package func isIdentity(on shape: Shape) -> Bool { false }

  package func folded(_ operands: [Tensor], shape: Shape) throws(MartletError) -> Tensor? { nil }
}

// What facts are written with.
extension OperationFacts {
  /// Infers the shape of the result again.
  func checkInferred(_ inputs: [Shape], result: Shape) throws(MartletError) {
    try checkCount(of: inputs)
    let shape = try outputShape(inputs, declared: result)
    guard shape == result else {
      throw mismatch("the result has another shape than declared", inputs + [shape, result])
    }
  }

  func checkCount(of inputs: [Shape]) throws(MartletError) {
    guard Self.operandCounts.contains(inputs.count) else {
      throw MartletError(
        .invalidShape, "an operation has a wrong number of operands",
        context: ["operation": label, "operands": "\(inputs.count)"])
    }
  }

  /// Axes must be ascending and those of the operand.
  func checkAxes(_ axes: [Int], of shape: Shape) throws(MartletError) {
    guard axes.allSatisfy({ $0 >= 0 && $0 < shape.rank }),
      zip(axes, axes.dropFirst()).allSatisfy({ $0 < $1 })
    else { throw mismatch("the axes \(axes) do not fit the operand", [shape]) }
  }

  func mismatch(_ message: String, _ shapes: [Shape]) -> MartletError {
    MartletError(
      .invalidShape, message,
      context: [
        "operation": label,
        "shapes": shapes.prefix(8).map(\.description).joined(separator: ", "),
      ])
  }

  /// Whether the first operand alone has a batch.
  func isOnlyFirstBatched(_ operands: [Shape?]) -> Bool {
    operands[0] != nil && operands.dropFirst().allSatisfy { $0 == nil }
  }
}
