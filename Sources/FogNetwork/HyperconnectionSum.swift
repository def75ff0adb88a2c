/// Definition 1 on rows of samples: what arrives is multiplied with its weight and added, what is
/// narrower counts as padded with zeros, and null vectors are ignored.
///
/// Compiled for both kinds of numbers, because callers that are generic themselves would otherwise go
/// through a table of operations for every element: a third of the time of a training.
package enum HyperconnectionSum {
  /// Adds one arrival to a unit's input.
  ///
  /// - Parameters:
  ///   - isFirst: whether nothing was added before, so that what is there is overwritten.
  ///   - stride: elements from one row of the arrival to the next.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  package static func add<Scalar: BinaryFloatingPoint>(
    _ arrival: UnsafePointer<Scalar>, count: Int, stride: Int, weight: Scalar, isFirst: Bool,
    to input: UnsafeMutablePointer<Scalar>, width: Int, rows: Int
  ) {
    for row in 0..<rows {
      let source = arrival + row * stride
      let target = input + row * width
      if isFirst {
        for index in 0..<count { target[index] = weight * source[index] }
        (target + count).update(repeating: 0, count: width - count)
      } else {
        for index in 0..<count { target[index] += weight * source[index] }
      }
    }
  }

  /// The reverse: adds the part of the input's gradient that belongs to the arrival.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  package static func addGradient<Scalar: BinaryFloatingPoint>(
    of input: UnsafePointer<Scalar>, width: Int, weight: Scalar,
    to arrival: UnsafeMutablePointer<Scalar>, count: Int, rows: Int
  ) {
    for row in 0..<rows {
      let source = input + row * width
      let target = arrival + row * count
      for index in 0..<count { target[index] += weight * source[index] }
    }
  }
}
