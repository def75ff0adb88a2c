import WireProtocol

// From `MemoryMetric` to a report: sums, the member of the JSON report, the list of figures.

/// What metrics of a device's memory come to.
struct MemoryTotals: Sendable, Equatable {
  private var peakResidentBytes = 0
  private var maximumResidentBytes = 0
  private var weightBytes = 0
  private var arenaBytes = 0
  private var maximumQueueBytes = 0

  mutating func add(_ metric: MemoryMetric) {
    peakResidentBytes = max(peakResidentBytes, metric.peakResidentBytes)
    maximumResidentBytes = max(maximumResidentBytes, metric.residentBytes)
    weightBytes = max(weightBytes, metric.weightBytes)
    arenaBytes = max(arenaBytes, metric.arenaBytes)
    maximumQueueBytes = max(maximumQueueBytes, metric.queueBytes)
  }

  /// Adds what other messages of the device came to.
  mutating func merge(_ other: MemoryTotals) {
    peakResidentBytes = max(peakResidentBytes, other.peakResidentBytes)
    maximumResidentBytes = max(maximumResidentBytes, other.maximumResidentBytes)
    weightBytes = max(weightBytes, other.weightBytes)
    arenaBytes = max(arenaBytes, other.arenaBytes)
    maximumQueueBytes = max(maximumQueueBytes, other.maximumQueueBytes)
  }

  /// Nil where no message said anything.
  var figures: FlightReport.Memory? {
    guard maximumResidentBytes > 0 || peakResidentBytes > 0 else { return nil }
    return FlightReport.Memory(
      peak: peakResidentBytes, maximum: maximumResidentBytes, weights: weightBytes,
      arena: arenaBytes, queue: maximumQueueBytes)
  }
}

extension FlightReport {
  /// Memory of one device in bytes.
  package struct Memory: Codable, Sendable, Equatable {
    /// The most resident memory of the worker since it began, as the kernel counts it.
    package var peak: Int
    /// The most resident memory at the end of an interval.
    package var maximum: Int
    /// Weights.
    package var weights: Int
    /// Working memory of one frame.
    package var arena: Int
    /// The most that waited in queues.
    package var queue: Int

    enum CodingKeys: String, CodingKey {
      case peak = "peak_resident_bytes"
      case maximum = "max_resident_bytes"
      case weights = "weight_bytes"
      case arena = "arena_bytes"
      case queue = "max_queue_bytes"
    }
  }
}

extension Figure where Subject == FlightReport.DeviceFigures {
  /// Of a device's memory.
  static var memory: [Figure] {
    [
      Figure(
        "peak_resident", .bytes, "memory.peak_resident_bytes",
        column: .init(.resources, "peak", .bytes),
        export: .gauge("resident_memory_peak_bytes", "Peak resident memory.")
      ) { ($0.memory?.peak).map(Double.init) },
      Figure(
        "max_resident", .bytes, "memory.max_resident_bytes",
        column: .init(.work, "resident", .bytes)
      ) { ($0.memory?.maximum).map(Double.init) },
      Figure(
        "weights", .bytes, "memory.weight_bytes", column: .init(.resources, "weights", .bytes),
        export: .gauge("weights_bytes", "Weights held.")
      ) { ($0.memory?.weights).map(Double.init) },
      Figure("arena", .bytes, "memory.arena_bytes", column: .init(.resources, "arena", .bytes)) {
        ($0.memory?.arena).map(Double.init)
      },
      Figure(
        "max_queue", .bytes, "memory.max_queue_bytes", column: .init(.resources, "queue", .bytes)
      ) {
        ($0.memory?.queue).map(Double.init)
      },
    ]
  }
}
