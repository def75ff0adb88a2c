import Glibc

/// Latencies counted in buckets that are each 1/64 of a power of two wide, so that any number of them
/// takes some kilobytes and every quantile is right to within 1 %.
///
/// The layout is that of HdrHistogram (<https://hdrhistogram.org>) in spirit, with a bucket's geometric middle as its
/// value. Count, mean and maximum are exact.
package struct LatencyHistogram: Sendable, Equatable {
  /// How many latencies there are.
  package private(set) var count = 0
  /// The largest, in milliseconds.
  package private(set) var maximum = 0.0
  private var sum = 0.0
  private var buckets: [Int: Int] = [:]

  /// No latencies yet.
  package init() {}

  /// Adds a latency in milliseconds; what is no latency is passed over.
  package mutating func add(_ milliseconds: Double) {
    guard milliseconds >= 0, milliseconds.isFinite else { return }
    count += 1
    sum += milliseconds
    maximum = max(maximum, milliseconds)
    buckets[LatencyHistogram.bucket(of: milliseconds), default: 0] += 1
  }

  /// Adds all latencies of another histogram.
  package mutating func merge(_ other: LatencyHistogram) {
    count += other.count
    sum += other.sum
    maximum = max(maximum, other.maximum)
    buckets.merge(other.buckets, uniquingKeysWith: +)
  }

  /// The mean in milliseconds; nil without latencies.
  package var mean: Double? { count > 0 ? sum / Double(count) : nil }

  /// What these fractions of the latencies do not exceed, in milliseconds; empty without latencies.
  package func quantiles(_ fractions: [Double]) -> [Double] {
    guard count > 0 else { return [] }
    let ordered = buckets.sorted { $0.key < $1.key }
    return fractions.map { fraction in
      let rank = max(1, Int((fraction * Double(count)).rounded(.up)))
      var passed = 0
      for (bucket, frames) in ordered {
        passed += frames
        if passed >= rank {
          return passed == count && rank == count
            ? maximum : min(maximum, LatencyHistogram.middle(of: bucket))
        }
      }
      return maximum
    }
  }

  /// Below a microsecond everything is the same.
  private static let smallest = 1e-3

  private static func bucket(of milliseconds: Double) -> Int {
    guard milliseconds > smallest else { return 0 }
    return 1 + Int(log2(milliseconds / smallest) * 64)
  }

  private static func middle(of bucket: Int) -> Double {
    bucket == 0 ? smallest : smallest * exp2((Double(bucket) - 0.5) / 64)
  }
}
