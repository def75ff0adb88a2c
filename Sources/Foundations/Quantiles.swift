/// Exact quantiles of stored samples, such as latencies.
///
/// Keeps the last `capacity` samples, so that memory is bounded in a process that runs for weeks.
package struct Quantiles: Sendable {
  /// The most samples that are kept.
  package let capacity: Int
  /// How many samples were ever added.
  package private(set) var count = 0
  private var samples: [Double] = []

  /// - Precondition: `capacity` is at least 1.
  package init(capacity: Int = 100_000) {
    precondition(capacity > 0)
    self.capacity = capacity
  }

  /// Adds a sample; one that is not a number is passed over.
  package mutating func add(_ sample: Double) {
    guard !sample.isNaN else { return }
    if samples.count < capacity {
      samples.append(sample)
    } else {
      samples[count % capacity] = sample
    }
    count += 1
  }

  /// The smallest kept sample that at least this fraction of the kept samples does not exceed
  /// (nearest rank); nil without samples.
  package func quantile(_ fraction: Double) -> Double? { quantiles([fraction])[0] }

  /// Several quantiles for one sorting.
  package func quantiles(_ fractions: [Double]) -> [Double?] {
    let sorted = samples.sorted()
    return fractions.map { fraction in
      guard !sorted.isEmpty, !fraction.isNaN else { return nil }
      let rank = (min(max(fraction, 0), 1) * Double(sorted.count)).rounded(.up)
      return sorted[max(0, Int(rank) - 1)]
    }
  }

  /// The median.
  package var p50: Double? { quantile(0.5) }
  /// What nine in ten samples do not exceed.
  package var p90: Double? { quantile(0.9) }
  /// What ninety-nine in a hundred samples do not exceed.
  package var p99: Double? { quantile(0.99) }
  /// The mean of the kept samples.
  package var mean: Double? {
    samples.isEmpty ? nil : samples.reduce(0, +) / Double(samples.count)
  }
  /// The largest kept sample.
  package var maximum: Double? { samples.max() }
}
