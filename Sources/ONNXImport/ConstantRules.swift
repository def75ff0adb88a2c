import Foundations
import ModelGraph
import Tensors

/// What operators make of constants. Shape arithmetic, masks and position tables are written with
/// operators that nothing computes at run time, and with integers.
enum ConstantRules {
  /// The results in order; nil where the rule is not for operands of such types, and the operator's
  /// other rule, if it has one, is asked.
  typealias Rule =
    @Sendable (inout Lowering, ConstantOperands) throws(MartletError) -> [Tensor]?

  /// The rules by operator name.
  static let rules: [String: Rule] = [arithmetic, logic, indexing, shaping, folds]
    .reduce(into: [:]) { table, part in table.merge(part) { first, _ in first } }
}

/// A node all of whose operands are constants.
struct ConstantOperands {
  let node: NodeReader
  private let tensors: [Tensor?]

  /// Nil unless there are operands and all of them are constants.
  init?(_ node: NodeReader, _ graph: Graph) {
    guard node.inputs.contains(where: { $0 != nil }) else { return nil }
    var tensors: [Tensor?] = []
    for id in node.inputs {
      guard let id else {
        tensors.append(nil)
        continue
      }
      guard let tensor = graph.constants[id] else { return nil }
      tensors.append(tensor)
    }
    self.node = node
    self.tensors = tensors
  }

  /// An operand that must be there.
  subscript(index: Int) -> Tensor {
    get throws(MartletError) {
      guard let tensor = optional(index) else {
        throw MartletError(.invalidFile, "operand \(index) is missing")
      }
      return tensor
    }
  }

  /// An operand that may be left out.
  func optional(_ index: Int) -> Tensor? { tensors.indices.contains(index) ? tensors[index] : nil }

  /// How many operands there are.
  var count: Int { tensors.count }

  /// Integers of an operand.
  func integers(_ index: Int, _ what: String) throws(MartletError) -> [Int] {
    guard let values = try self[index].integers else {
      throw MartletError(.invalidFile, "\(what) must be integers")
    }
    return values.map { Int($0) }
  }

  /// The one integer of an operand.
  func integer(_ index: Int, _ what: String) throws(MartletError) -> Int {
    let values = try integers(index, what)
    guard values.count == 1 else { throw MartletError(.invalidFile, "\(what) must be one number") }
    return values[0]
  }

  /// Some operands repeated to their common shape.
  func aligned(
    _ range: Range<Int>, _ lowering: inout Lowering
  ) throws(MartletError) -> (shape: Shape, operands: [Tensor]) {
    var shape: Shape = []
    for index in range { shape = try Shape.broadcast(shape, try self[index].shape) }
    try lowering.builder.charge(range.count * shape.count)
    var operands: [Tensor] = []
    for index in range { operands.append(try self[index].broadcast(to: shape)) }
    return (shape, operands)
  }
}

extension Tensor {
  /// The elements at these positions, in order.
  func picking(_ positions: [Int], shape: Shape) -> Tensor {
    switch elements {
    case .float32(let values): Tensor(shape, positions.map { values[$0] })
    case .int64(let values): Tensor(shape, positions.map { values[$0] })
    }
  }

  /// The elements as truth values: all but 0 are true.
  var truths: [Bool] {
    switch elements {
    case .float32(let values): values.map { $0 != 0 }
    case .int64(let values): values.map { $0 != 0 }
    }
  }
}

extension Shape {
  /// Calls `body` with every index, in row-major order.
  func forEachIndex(_ body: ([Int]) throws(MartletError) -> Void) throws(MartletError) {
    guard count > 0 else { return }
    var index = [Int](repeating: 0, count: rank)
    while true {
      try body(index)
      var axis = rank - 1
      while axis >= 0 {
        index[axis] += 1
        if index[axis] < self[axis] { break }
        index[axis] = 0
        axis -= 1
      }
      if axis < 0 { return }
    }
  }

  /// Where an index lies in row-major order.
  func position(_ index: some Sequence<Int>) -> Int {
    zip(index, dimensions).reduce(0) { $0 * $1.1 + $1.0 }
  }
}
