/// What the elements of a tensor are like, at a glance.
package struct TensorStatistics: Sendable, Hashable {
  /// How many elements.
  package private(set) var count = 0
  /// How many are exactly zero.
  package private(set) var zeros = 0
  /// How many are NaN or infinite; they are in none of the other figures.
  package private(set) var notFinite = 0
  /// The smallest; nil when there is no finite element.
  package private(set) var minimum: Float?
  /// The largest; nil when there is no finite element.
  package private(set) var maximum: Float?
  /// The mean; nil when there is no finite element.
  package private(set) var mean: Double?

  /// Looks at every element once.
  package init(_ values: UnsafeBufferPointer<Float>) {
    var smallest = Float.infinity
    var largest = -Float.infinity
    var sum = 0.0
    for value in values {
      // False for NaN and infinities only.
      guard value - value == 0 else {
        notFinite += 1
        continue
      }
      if value == 0 { zeros += 1 }
      if value < smallest { smallest = value }
      if value > largest { largest = value }
      sum += Double(value)
    }
    count = values.count
    guard count > notFinite else { return }
    minimum = smallest
    maximum = largest
    mean = sum / Double(count - notFinite)
  }

  /// The share of elements that are exactly zero, 0 to 1; nil for an empty tensor.
  package var zeroShare: Double? { count > 0 ? Double(zeros) / Double(count) : nil }
}
