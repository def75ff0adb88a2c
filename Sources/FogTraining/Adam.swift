import Glibc

/// Adam (Kingma and Ba 2014) as Keras has it: epsilon is added to the uncorrected root.
package struct Adam<Scalar: Real> {
  /// Step size.
  var rate: Double
  /// Steps so far.
  package private(set) var steps = 0
  /// First and second moments by parameter.
  private(set) var means: [[Scalar]]
  private(set) var squares: [[Scalar]]

  static var beta1: Double { 0.9 }
  static var beta2: Double { 0.999 }
  static var epsilon: Double { 1e-7 }

  init(rate: Double, parameters: [Parameter<Scalar>]) {
    self.rate = rate
    means = parameters.map { [Scalar](repeating: 0, count: $0.count) }
    squares = means
  }

  /// Goes on from saved moments.
  mutating func restore(steps: Int, means: [[Scalar]], squares: [[Scalar]]) {
    self.steps = steps
    self.means = means
    self.squares = squares
  }

  /// Moves every parameter by one step.
  mutating func step(_ parameters: [Parameter<Scalar>]) {
    steps += 1
    let correction1 = 1 - pow(Self.beta1, Double(steps))
    let correction2 = 1 - pow(Self.beta2, Double(steps))
    let size = Scalar(rate * correction2.squareRoot() / correction1)
    let (b1, b2, epsilon) = (Scalar(Self.beta1), Scalar(Self.beta2), Scalar(Self.epsilon))
    for (index, parameter) in parameters.enumerated() {
      let (values, gradient) = (parameter.values, parameter.gradient)
      means[index].withUnsafeMutableBufferPointer { means in
        squares[index].withUnsafeMutableBufferPointer { squares in
          guard let m = means.baseAddress, let v = squares.baseAddress else { return }
          for element in 0..<parameter.count {
            let g = gradient[element]
            let mean = b1 * m[element] + (1 - b1) * g
            let square = b2 * v[element] + (1 - b2) * g * g
            m[element] = mean
            v[element] = square
            values[element] -= size * mean / (square.squareRoot() + epsilon)
          }
        }
      }
    }
  }
}
