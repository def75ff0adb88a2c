import Foundations
import ModelGraph
import Tensors

// Sums of products that are written with letters, as products of matrices.
extension Operators {
  static let sums: [String: Rule] = ["Einsum": einsum]

  /// An operand and the letters of its axes.
  private struct Lettered {
    var id: ValueID
    var letters: [Character]
  }

  private static func einsum(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let text = try node.text("equation", default: "")
    let inputs = try node.allInputs()
    let equation = try Equation(text, operands: inputs.count)
    var extents: [Character: Int] = [:]
    for (id, letters) in zip(inputs, equation.operands) {
      let shape = lowering.shape(id)
      guard shape.rank == letters.count else {
        throw misfit(text, "an operand has another number of axes than letters", shape)
      }
      for (letter, extent) in zip(letters, shape.dimensions) {
        guard extents.updateValue(extent, forKey: letter) ?? extent == extent else {
          throw misfit(text, "a letter stands for different extents", shape)
        }
      }
    }
    var result = Lettered(id: inputs[0], letters: equation.operands[0])
    for index in inputs.indices.dropFirst() {
      // Letters that only later operands or the result have are kept.
      let later = Set(equation.operands[(index + 1)...].joined()).union(equation.result)
      let other = Lettered(id: inputs[index], letters: equation.operands[index])
      result = try product(
        &lowering, node, result, other, keeping: later, extents, "product\(index)")
    }
    result = try summed(&lowering, node, result, keeping: Set(equation.result), "sum")
    return [try turned(&lowering, node, result, to: equation.result, "turned").id]
  }

  private static func misfit(_ text: String, _ message: String, _ shape: Shape) -> MartletError {
    MartletError(
      .invalidShape, message, context: ["equation": String(text.prefix(80)), "operand": "\(shape)"])
  }

  /// The product of two operands, summed over the letters that nobody needs any more: a product of
  /// matrices for each of what both have and somebody needs.
  private static func product(
    _ lowering: inout Lowering, _ node: NodeReader, _ a: Lettered, _ b: Lettered,
    keeping wanted: Set<Character>, _ extents: [Character: Int], _ suffix: String
  ) throws(MartletError) -> Lettered {
    let left = try summed(
      &lowering, node, a, keeping: wanted.union(b.letters), suffix + ".left")
    let right = try summed(
      &lowering, node, b, keeping: wanted.union(a.letters), suffix + ".right")
    let both = left.letters.filter { right.letters.contains($0) }
    let batch = both.filter { wanted.contains($0) }
    let inner = both.filter { !wanted.contains($0) }
    let rows = left.letters.filter { !both.contains($0) }
    let columns = right.letters.filter { !both.contains($0) }
    func count(_ letters: [Character]) -> Int { letters.reduce(1) { $0 * (extents[$1] ?? 1) } }
    func shape(_ letters: [Character]) -> [Int] { letters.map { extents[$0] ?? 1 } }
    let turnedLeft = try turned(
      &lowering, node, left, to: batch + rows + inner, suffix + ".rows")
    let turnedRight = try turned(
      &lowering, node, right, to: batch + inner + columns, suffix + ".columns")
    let matrices = [
      try lowering.reshape(
        turnedLeft.id, shape(batch) + [count(rows), count(inner)], node, suffix + ".a"),
      try lowering.reshape(
        turnedRight.id, shape(batch) + [count(inner), count(columns)], node, suffix + ".b"),
    ]
    let product = try lowering.add(.matMul, matrices, node, suffix)
    let letters = batch + rows + columns
    return Lettered(
      id: try lowering.reshape(product, shape(letters), node, suffix + ".shape"), letters: letters)
  }

  private static func summed(
    _ lowering: inout Lowering, _ node: NodeReader, _ x: Lettered, keeping wanted: Set<Character>,
    _ suffix: String
  ) throws(MartletError) -> Lettered {
    let axes = x.letters.indices.filter { !wanted.contains(x.letters[$0]) }
    guard !axes.isEmpty else { return x }
    let kept = x.letters.indices.filter { !axes.contains($0) }
    let shape = lowering.shape(x.id)
    let id = try lowering.add(
      .reduction(Reduction(kind: .sum, axes: axes)), [x.id], node, suffix,
      shape: Shape(kept.map { shape[$0] }))
    return Lettered(id: id, letters: kept.map { x.letters[$0] })
  }

  private static func turned(
    _ lowering: inout Lowering, _ node: NodeReader, _ x: Lettered, to letters: [Character],
    _ suffix: String
  ) throws(MartletError) -> Lettered {
    guard x.letters != letters else { return x }
    let permutation = letters.compactMap { x.letters.firstIndex(of: $0) }
    let id = try lowering.add(.transpose(permutation: permutation), [x.id], node, suffix)
    return Lettered(id: id, letters: letters)
  }
}

/// The letters of an einsum's operands and result.
private struct Equation {
  var operands: [[Character]]
  var result: [Character]

  init(_ text: String, operands count: Int) throws(MartletError) {
    func refused(_ message: String) -> MartletError {
      MartletError(.unsupported, message, context: ["equation": String(text.prefix(80))])
    }
    let plain = text.filter { !$0.isWhitespace }
    guard plain.utf8.count <= 256 else { throw refused("an equation is too long") }
    var sides = [plain[...], plain[plain.endIndex...]]
    let arrow = plain.indices.first { plain[$0...].hasPrefix("->") }
    if let arrow {
      sides = [plain[..<arrow], plain[plain.index(arrow, offsetBy: 2)...]]
    }
    operands = sides[0].split(separator: ",", omittingEmptySubsequences: false).map { Array($0) }
    guard operands.count == count else {
      throw refused("an equation has another number of operands than its node")
    }
    let all = operands.flatMap { $0 }
    // Without an arrow: the letters that occur once, in their order.
    result =
      arrow == nil
      ? Set(all).filter { letter in all.count { $0 == letter } == 1 }.sorted() : Array(sides[1])
    guard (all + result).allSatisfy({ $0.isASCII && $0.isLetter }) else {
      throw refused("only letters are supported in an equation, and no ellipsis")
    }
    guard (operands + [result]).allSatisfy({ Set($0).count == $0.count && $0.count <= 8 }) else {
      throw refused("a letter occurs twice in an operand or in the result, or there are too many")
    }
    guard Set(result).isSubset(of: all) else {
      throw refused("a letter of the result is in no operand")
    }
  }
}
