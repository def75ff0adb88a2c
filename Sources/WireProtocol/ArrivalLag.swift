/// How late the parts of one peer come in one stage: a histogram over logarithmic classes, a quarter
/// of an octave wide, that forgets.
///
/// 1024 samples are kept; then every class is halved, so that what happened some thousand parts ago
/// no longer counts.
package struct ArrivalLag: Sendable, Equatable {
  /// Everything up to 8 microseconds, parts that came before one's own included, is the first class.
  private static let firstOctave = 13
  private static let classes = 1 + 4 * 24
  /// How many samples are kept before the older ones lose half of their weight.
  package static let memory = 1024

  private var counts = [UInt16](repeating: 0, count: ArrivalLag.classes)
  /// Samples that still count.
  package private(set) var samples = 0

  /// Nothing known.
  package init() {}

  /// Learns one lag, in nanoseconds.
  package mutating func record(_ nanoseconds: UInt64) {
    counts[Self.index(nanoseconds)] += 1
    samples += 1
    guard samples >= Self.memory else { return }
    samples = 0
    for index in counts.indices {
      counts[index] /= 2
      samples += Int(counts[index])
    }
  }

  /// A lag that at most the share 1 - `q` of the samples exceeds, rounded up to the end of its class,
  /// in nanoseconds; nil without samples.
  package func quantile(_ q: Double) -> UInt64? {
    guard samples > 0 else { return nil }
    var beyond = samples - min(max(Int((q * Double(samples)).rounded(.up)), 1), samples)
    for index in counts.indices.reversed() {
      if Int(counts[index]) > beyond { return Self.end(index) }
      beyond -= Int(counts[index])
    }
    return Self.end(0)
  }

  private static func index(_ nanoseconds: UInt64) -> Int {
    let octave = UInt64.bitWidth - 1 - nanoseconds.leadingZeroBitCount
    guard octave >= firstOctave else { return 0 }
    let quarter = Int((nanoseconds >> UInt64(octave - 2)) & 3)
    return min(1 + 4 * (octave - firstOctave) + quarter, classes - 1)
  }

  private static func end(_ index: Int) -> UInt64 {
    guard index > 0 else { return 1 << UInt64(firstOctave) }
    let (octave, quarter) = (index - 1).quotientAndRemainder(dividingBy: 4)
    return UInt64(5 + quarter) << UInt64(octave + firstOctave - 2)
  }
}
