import Foundations
import Glibc
import ModelGraph
import Tensors

// Numbers, element by element.
extension ConstantRules {
  static let arithmetic: [String: Rule] = [
    "Mod": modulus, "Pow": power, "Range": range, "CumSum": cumulativeSum, "Sign": sign,
    "Sin": function(sinf), "Cos": function(cosf), "Tan": function(tanf), "Asin": function(asinf),
    "Acos": function(acosf), "Atan": function(atanf), "Sinh": function(sinhf),
    "Cosh": function(coshf), "Round": function { $0.rounded(.toNearestOrEven) },
  ]

  private static func function(_ function: @escaping @Sendable (Float) -> Float) -> Rule {
    { (lowering, operands) throws(MartletError) in
      let x = try operands[0]
      guard let values = x.floats else { return nil }
      try lowering.builder.charge(values.count)
      return [Tensor(x.shape, values.map(function))]
    }
  }

  private static func sign(
    _ lowering: inout Lowering, _ operands: ConstantOperands
  ) throws(MartletError) -> [Tensor]? {
    let x = try operands[0]
    try lowering.builder.charge(x.shape.count)
    switch x.elements {
    case .float32(let values):
      return [Tensor(x.shape, values.map { $0 > 0 ? 1 : $0 < 0 ? -1 : $0 })]
    case .int64(let values): return [Tensor(x.shape, values.map { $0.signum() })]
    }
  }

  /// The rest of a division: with `fmod` of the dividend's sign, without of the divisor's.
  private static func modulus(
    _ lowering: inout Lowering, _ operands: ConstantOperands
  ) throws(MartletError) -> [Tensor]? {
    let keepsSign = try operands.node.integer("fmod", default: 0) != 0
    let (shape, pair) = try operands.aligned(0..<2, &lowering)
    if let left = pair[0].floats, let right = pair[1].floats {
      return [
        Tensor(
          shape,
          zip(left, right).map { keepsSign ? fmodf($0, $1) : $0 - ($0 / $1).rounded(.down) * $1 })
      ]
    }
    guard let left = pair[0].integers, let right = pair[1].integers else { throw mixed }
    guard !right.contains(0) else {
      throw MartletError(.unsupported, "constant integer arithmetic divides by zero")
    }
    return [
      Tensor(
        shape,
        zip(left, right).map { a, b in
          let rest = a.remainderReportingOverflow(dividingBy: b).partialValue
          return !keepsSign && rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest
        })
    ]
  }

  /// Powers of integers; those of floating-point numbers have an operation.
  private static func power(
    _ lowering: inout Lowering, _ operands: ConstantOperands
  ) throws(MartletError) -> [Tensor]? {
    guard try operands[0].integers != nil else { return nil }
    let (shape, pair) = try operands.aligned(0..<2, &lowering)
    guard let bases = pair[0].integers else { return nil }
    switch pair[1].elements {
    case .int64(let exponents):
      return [Tensor(shape, zip(bases, exponents).map { power($0, $1) })]
    case .float32(let exponents):
      return [
        Tensor(shape, zip(bases, exponents).map { pow(Double($0), Double($1)).clampedToInt64 })
      ]
    }
  }

  /// By squaring, wrapping on overflow.
  private static func power(_ base: Int64, _ exponent: Int64) -> Int64 {
    guard exponent >= 0 else { return pow(Double(base), Double(exponent)).clampedToInt64 }
    var (result, square, rest): (Int64, Int64, Int64) = (1, base, exponent)
    while rest > 0 {
      if rest & 1 == 1 { result &*= square }
      square &*= square
      rest >>= 1
    }
    return result
  }

  private static func range(
    _ lowering: inout Lowering, _ operands: ConstantOperands
  ) throws(MartletError) -> [Tensor]? {
    var numbers: [Double] = []
    var isInteger = true
    for index in 0..<3 {
      let bound = try operands[index]
      isInteger = isInteger && bound.integers != nil
      let number =
        bound.integers?.first.map { Double($0) } ?? bound.floats?.first.map { Double($0) }
      guard bound.shape.count == 1, let number, number.isFinite, index < 2 || number != 0 else {
        throw MartletError(.invalidFile, "the bounds of a range are wrong")
      }
      numbers.append(number)
    }
    let length = max(((numbers[1] - numbers[0]) / numbers[2]).rounded(.up), 0)
    guard length <= 0x1p24 else {
      throw MartletError(
        .resourceExhausted, "a range is too long", context: ["length": "\(length)"])
    }
    let count = Int(length)
    try lowering.builder.charge(count)
    let values = (0..<count).map { numbers[0] + Double($0) * numbers[2] }
    return [
      isInteger
        ? Tensor([count], values.map(\.clampedToInt64)) : Tensor([count], values.map { Float($0) })
    ]
  }

  /// Sums of all elements up to each along an axis, or of all before it.
  private static func cumulativeSum(
    _ lowering: inout Lowering, _ operands: ConstantOperands
  ) throws(MartletError) -> [Tensor]? {
    let x = try operands[0]
    let axis = try lowering.axis(try operands.integer(1, "the axis"), rank: x.shape.rank)
    let isExclusive = try operands.node.integer("exclusive", default: 0) != 0
    let isReverse = try operands.node.integer("reverse", default: 0) != 0
    try lowering.builder.charge(x.shape.count)
    let (extent, inner) = (x.shape[axis], x.shape.innerCount(after: axis))
    func summed<Element>(
      _ values: [Element], _ zero: Element, _ plus: (Element, Element) -> Element
    ) -> [Element] {
      var result = values
      guard extent > 0 else { return result }
      for start in 0..<(values.count / extent) {
        let base = start / inner * extent * inner + start % inner
        var sum = zero
        for step in 0..<extent {
          let place = base + (isReverse ? extent - 1 - step : step) * inner
          let next = plus(sum, values[place])
          result[place] = isExclusive ? sum : next
          sum = next
        }
      }
      return result
    }
    switch x.elements {
    case .float32(let values): return [Tensor(x.shape, summed(values, 0, +))]
    case .int64(let values): return [Tensor(x.shape, summed(values, 0, &+))]
    }
  }

  static var mixed: MartletError { MartletError(.invalidFile, "the operands differ in type") }
}
