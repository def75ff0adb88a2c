import Foundations
import ModelGraph
import Tensors

// Truth values, which are integers 0 and 1.
extension ConstantRules {
  static let logic: [String: Rule] = [
    "Equal": comparison({ $0 == $1 }, { $0 == $1 }),
    "Less": comparison({ $0 < $1 }, { $0 < $1 }),
    "LessOrEqual": comparison({ $0 <= $1 }, { $0 <= $1 }),
    "Greater": comparison({ $0 > $1 }, { $0 > $1 }),
    "GreaterOrEqual": comparison({ $0 >= $1 }, { $0 >= $1 }),
    "And": connective { $0 && $1 }, "Or": connective { $0 || $1 },
    "Xor": connective { $0 != $1 }, "Not": negation, "Where": choice,
    "IsNaN": { (lowering, operands) throws(MartletError) in
      try test(&lowering, operands, \.isNaN)
    },
    "IsInf": { (lowering, operands) throws(MartletError) in
      let positive = try operands.node.integer("detect_positive", default: 1) != 0
      let negative = try operands.node.integer("detect_negative", default: 1) != 0
      return try test(&lowering, operands) { $0.isInfinite && ($0 > 0 ? positive : negative) }
    },
  ]

  private static func flags(_ shape: Shape, _ truths: some Sequence<Bool>) -> [Tensor] {
    [Tensor(shape, truths.map { $0 ? 1 : 0 } as [Int64])]
  }

  private static func comparison(
    _ floats: @escaping @Sendable (Float, Float) -> Bool,
    _ integers: @escaping @Sendable (Int64, Int64) -> Bool
  ) -> Rule {
    { (lowering, operands) throws(MartletError) in
      let (shape, pair) = try operands.aligned(0..<2, &lowering)
      switch (pair[0].elements, pair[1].elements) {
      case (.float32(let a), .float32(let b)): return flags(shape, zip(a, b).lazy.map(floats))
      case (.int64(let a), .int64(let b)): return flags(shape, zip(a, b).lazy.map(integers))
      default: throw mixed
      }
    }
  }

  private static func connective(
    _ holds: @escaping @Sendable (Bool, Bool) -> Bool
  ) -> Rule {
    { (lowering, operands) throws(MartletError) in
      let (shape, pair) = try operands.aligned(0..<2, &lowering)
      return flags(shape, zip(pair[0].truths, pair[1].truths).lazy.map(holds))
    }
  }

  private static func negation(
    _ lowering: inout Lowering, _ operands: ConstantOperands
  ) throws(MartletError) -> [Tensor]? {
    let x = try operands[0]
    try lowering.builder.charge(x.shape.count)
    return flags(x.shape, x.truths.lazy.map { !$0 })
  }

  private static func test(
    _ lowering: inout Lowering, _ operands: ConstantOperands, _ holds: (Float) -> Bool
  ) throws(MartletError) -> [Tensor]? {
    let x = try operands[0]
    guard let values = x.floats else { return nil }
    try lowering.builder.charge(values.count)
    return flags(x.shape, values.map(holds))
  }

  private static func choice(
    _ lowering: inout Lowering, _ operands: ConstantOperands
  ) throws(MartletError) -> [Tensor]? {
    let (shape, all) = try operands.aligned(0..<3, &lowering)
    let condition = all[0].truths
    func chosen<Element>(_ yes: [Element], _ no: [Element]) -> [Element] {
      condition.indices.map { condition[$0] ? yes[$0] : no[$0] }
    }
    switch (all[1].elements, all[2].elements) {
    case (.float32(let yes), .float32(let no)): return [Tensor(shape, chosen(yes, no))]
    case (.int64(let yes), .int64(let no)): return [Tensor(shape, chosen(yes, no))]
    default: throw mixed
    }
  }
}
