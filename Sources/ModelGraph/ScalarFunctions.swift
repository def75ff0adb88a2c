import Glibc

extension UnaryFunction {
  /// The function of one number.
  package func value(_ x: Float) -> Float {
    switch self {
    case .negate: -x
    case .absolute: abs(x)
    case .exponential: expf(x)
    case .logarithm: logf(x)
    case .squareRoot: x.squareRoot()
    case .reciprocal: 1 / x
    case .errorFunction: erff(x)
    case .floor: x.rounded(.down)
    case .ceiling: x.rounded(.up)
    }
  }
}

extension BinaryFunction {
  /// The function of two numbers.
  package func value(_ a: Float, _ b: Float) -> Float {
    switch self {
    case .add: a + b
    case .subtract: a - b
    case .multiply: a * b
    case .divide: a / b
    case .power: powf(a, b)
    case .maximum: max(a, b)
    case .minimum: min(a, b)
    }
  }

  /// The function of two integers, wrapping on overflow. Division by zero traps: check before.
  func value(_ a: Int64, _ b: Int64) -> Int64 {
    switch self {
    case .add: a &+ b
    case .subtract: a &- b
    case .multiply: a &* b
    case .divide: a.dividedReportingOverflow(by: b).partialValue
    case .power: 0
    case .maximum: max(a, b)
    case .minimum: min(a, b)
    }
  }
}

extension Reduction.Kind {
  /// The fold of at least one number; sums in double precision.
  func value(_ values: ArraySlice<Float>) -> Float {
    switch self {
    case .mean: Float(values.reduce(0.0) { $0 + Double($1) } / Double(values.count))
    case .sum: Float(values.reduce(0.0) { $0 + Double($1) })
    case .maximum: values.max() ?? 0
    case .minimum: values.min() ?? 0
    }
  }
}
