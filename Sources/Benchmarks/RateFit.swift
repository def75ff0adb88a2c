package import ModelGraph
package import Plan

/// Fits a kind's rates to what kernels of it took.
package enum RateFit {
  /// What one kernel did, and how long it took.
  package struct Sample: Sendable {
    /// What it did.
    package var work: KernelWork
    /// Processor time besides the overhead of any kernel, above 0; in seconds.
    package var seconds: Double

    /// A measurement.
    package init(_ work: KernelWork, seconds: Double) {
      self.work = work
      self.seconds = seconds
    }
  }

  /// The two rates of which times follow with the least squared error relative to the times, or, for
  /// kinds of which one says all, that one.
  ///
  /// - Parameters:
  ///   - samples: of one kind, at least one.
  /// - Returns: rates above 0; where one would have to be negative, the other stands alone.
  package static func rate(of kind: KernelKind, from samples: [Sample]) -> DeviceProfile.Rate {
    // Operations and bytes for each second, so that each sample asks for x a + y b = 1.
    let rows = samples.map {
      (Double($0.work.operations) / $0.seconds, Double($0.work.bytes) / $0.seconds)
    }
    // One rate alone is that of all together, so that what takes long counts most.
    let total = samples.reduce(0) { $0 + $1.seconds }
    let only = (
      operations: samples.reduce(0) { $0 + Double($1.work.operations) } / total,
      bytes: samples.reduce(0) { $0 + Double($1.work.bytes) } / total
    )
    switch kind {
    case .function: return .init(kind, operations: only.operations, bytes: nil)
    case .dense, .normalisation, .movement, .transposition, .elementwise:
      return .init(kind, operations: nil, bytes: only.bytes)
    case .convolution, .pointwise, .winograd, .depthwise, .product, .pooling: break
    }
    let xx = rows.reduce(0) { $0 + $1.0 * $1.0 }
    let xy = rows.reduce(0) { $0 + $1.0 * $1.1 }
    let yy = rows.reduce(0) { $0 + $1.1 * $1.1 }
    let (sx, sy) = (rows.reduce(0) { $0 + $1.0 }, rows.reduce(0) { $0 + $1.1 })
    let determinant = xx * yy - xy * xy
    // Shapes that are too much alike cannot tell one term from the other.
    guard determinant > 1e-9 * xx * yy else {
      return .init(kind, operations: only.operations, bytes: nil)
    }
    let a = (sx * yy - sy * xy) / determinant
    let b = (sy * xx - sx * xy) / determinant
    if a <= 0 { return .init(kind, operations: nil, bytes: only.bytes) }
    if b <= 0 { return .init(kind, operations: only.operations, bytes: nil) }
    return .init(kind, operations: 1 / a, bytes: 1 / b)
  }
}
