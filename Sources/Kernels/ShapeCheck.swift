import Foundations
import ModelGraph
import Tensors

/// Whether one node's operands, attributes and result fit each other.
struct ShapeCheck {
  let node: Node
  let inputs: [Shape]
  let output: Shape

  func run() throws(MartletError) {
    switch node.operation {
    case .convolution(let convolution): try check(convolution)
    case .dense: try checkDense()
    case .matMul: try checkMatMul()
    case .pooling(let pooling): try check(pooling)
    case .activation, .unary:
      try operands(1...1)
      try same(inputs[0])
    case .binary:
      try operands(2...2)
      guard let shape = try? Shape.broadcast(inputs[0], inputs[1]) else { throw misfit() }
      try same(shape)
    case .channelAffine:
      try operands(3...3)
      try same(inputs[0])
      try require(inputs[0].rank >= 2)
      try require(inputs[1].count == inputs[0][1] && inputs[2].count == inputs[0][1])
    case .layerNormalization(let norm): try check(norm)
    case .softmax(let axis, _):
      try operands(1...1)
      try axes([axis])
      try same(inputs[0])
    case .concatenation(let axis): try checkConcatenation(axis)
    case .transpose(let permutation):
      try operands(1...1)
      try require(permutation.sorted() == Array(0..<inputs[0].rank), "invalid permutation")
      try same(Shape(permutation.map { inputs[0][$0] }))
    case .reshape:
      try operands(1...1)
      try require(inputs[0].count == output.count)
    case .slice(let ranges): try check(ranges)
    case .pad(let before, let after, _):
      try operands(1...1)
      try require(before.count == inputs[0].rank && after.count == before.count, "invalid padding")
      for axis in before.indices {
        try bounded(before[axis], -Self.limit...Self.limit)
        try bounded(after[axis], -Self.limit...Self.limit)
        // Cropping more than there is has no meaning on either side.
        try require(-before[axis] <= inputs[0][axis] && -after[axis] <= inputs[0][axis])
        try require(output.rank == before.count)
        try require(output[axis] == before[axis] + inputs[0][axis] + after[axis])
      }
    case .reduction(let reduction):
      try operands(1...1)
      try axes(reduction.axes)
      let kept = inputs[0].dimensions.indices.map {
        reduction.axes.contains($0) ? 1 : inputs[0][$0]
      }
      let dropped = inputs[0].dimensions.indices.filter { !reduction.axes.contains($0) }
        .map { inputs[0][$0] }
      try require(output.dimensions == kept || output.dimensions == dropped)
    case .selection(let axis, let indices):
      try operands(1...1)
      try axes([axis])
      try require(
        indices.allSatisfy { $0 >= 0 && $0 < inputs[0][axis] }, "an index is out of range")
      try same(inputs[0].replacing(axis: axis, with: indices.count))
    case .combination(let combination):
      try operands(1...1)
      try axes([combination.axis])
      try require(
        combination.rows.allSatisfy { terms in
          !terms.isEmpty
            && terms.allSatisfy { $0.index >= 0 && $0.index < inputs[0][combination.axis] }
        }, "an index is out of range")
      try same(inputs[0].replacing(axis: combination.axis, with: combination.rows.count))
    case .exchange(let exchange): try check(exchange)
    }
  }

  /// Attributes beyond this are nonsense, and below it no product of two overflows.
  static let limit = 1 << 30

  private func misfit(_ message: String = "operands and result do not fit") -> MartletError {
    MartletError(
      .invalidShape, message,
      context: [
        "operands": inputs.map(\.description).joined(separator: ", "), "result": "\(output)",
      ])
  }

  func require(
    _ condition: Bool, _ message: String = "operands and result do not fit"
  ) throws(MartletError) {
    guard condition else { throw misfit(message) }
  }

  func operands(_ count: ClosedRange<Int>) throws(MartletError) {
    try require(count.contains(inputs.count), "wrong number of operands")
  }

  func same(_ shape: Shape) throws(MartletError) { try require(output == shape) }

  func bounded(_ value: Int, _ range: ClosedRange<Int>) throws(MartletError) {
    try require(range.contains(value), "an attribute is out of range")
  }

  func axes(_ axes: [Int]) throws(MartletError) {
    let rank = inputs[0].rank
    try require(
      axes.allSatisfy { $0 >= 0 && $0 < rank } && Set(axes).count == axes.count
        && axes == axes.sorted(), "invalid axes")
  }

  private func check(_ norm: LayerNormalization) throws(MartletError) {
    try operands(1...3)
    try same(inputs[0])
    try axes(norm.axes)
    let rank = inputs[0].rank
    try require(
      !norm.axes.isEmpty
        && (norm.axes == Array((rank - norm.axes.count)..<rank) || norm.axes == [1]),
      "layer normalisation is supported over trailing axes or axis 1 only")
    let count = norm.axes.reduce(1) { $0 * inputs[0][$1] }
    try require(inputs.dropFirst().allSatisfy { $0.count == count })
  }

  private func checkConcatenation(_ axis: Int) throws(MartletError) {
    try operands(1...Int.max)
    try axes([axis])
    var extent = 0
    for input in inputs {
      try require(input.rank == inputs[0].rank)
      try require(input.replacing(axis: axis, with: 0) == inputs[0].replacing(axis: axis, with: 0))
      extent += input[axis]
    }
    try same(inputs[0].replacing(axis: axis, with: extent))
  }

  private func check(_ ranges: [SliceRange]) throws(MartletError) {
    try operands(1...1)
    try require(ranges.count == inputs[0].rank && output.rank == ranges.count, "invalid slice")
    for (axis, range) in ranges.enumerated() {
      try bounded(range.count, 0...Self.limit * 2)
      try bounded(range.step, -Self.limit * 2...Self.limit * 2)
      try require(output[axis] == range.count)
      guard range.count > 0 else { continue }
      try bounded(range.start, 0...Self.limit * 2)
      let last = range.start + (range.count - 1) * range.step
      try require(
        (range.step != 0 || range.count == 1) && range.start < inputs[0][axis] && last >= 0
          && last < inputs[0][axis], "a slice reaches beyond its operand")
    }
  }

  private func check(_ exchange: Exchange) throws(MartletError) {
    try operands(0...1)
    let axis = exchange.axis
    try require(axis >= 0 && axis < output.rank, "invalid axes")
    try require(
      exchange.extents.allSatisfy { $0 >= 0 && $0 <= output[axis] }, "invalid extents")
    try require(exchange.extents.reduce(0, +) == output[axis])
    if let part = inputs.first {
      try require(part.rank == output.rank)
      try require(part[axis] <= output[axis])
      try require(part.replacing(axis: axis, with: output[axis]) == output)
    }
  }
}
