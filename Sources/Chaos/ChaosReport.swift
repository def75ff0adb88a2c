/// What a run did and found.
package struct ChaosReport: Sendable, Encodable {
  /// The seed of the schedule.
  package var seed: UInt64
  /// How long faults were applied.
  package var minutes: Double
  /// Worker processes at a time.
  package var devices: Int
  /// Clients.
  package var clients: Int
  /// Frames that each client keeps under way.
  package var inFlight: Int
  /// How neurons are spread.
  package var method: String
  /// Faults by kind.
  package var faults: [String: Int] = [:]
  /// Of these, asked of a worker in vain because the broker was away.
  package var undone = 0
  /// Groups of faults after which all had to come back.
  package var waves = 0
  /// Frames submitted.
  package var frames = 0
  /// Frames answered.
  package var answers = 0
  /// Frames refused, by status.
  package var refused: [String: Int] = [:]
  /// Frames sent again because nobody answered at all.
  package var repeated = 0
  /// Answers with something missing.
  package var degraded = 0
  /// Answers on whose way some devices lacked what others had.
  package var disagreements = 0
  /// Answers compared bit for bit with the same frame computed in this process.
  package var compared = 0
  /// Different frames computed for that.
  package var computed = 0
  /// Answers that differ.
  package var different = 0
  /// Answers a second, all clients.
  package var framesPerSecond = 0.0
  /// Milliseconds from submission to answer, median, all devices there and nothing missing.
  package var wholeLatencyP50 = 0.0
  /// The same, 99th percentile.
  package var wholeLatencyP99 = 0.0
  /// Milliseconds from submission to answer, median, of all other answers.
  package var otherLatencyP50 = 0.0
  /// The same, 99th percentile.
  package var otherLatencyP99 = 0.0
  /// The longest time between two answers to one client, in milliseconds.
  package var longestGap = 0.0
  /// The same by kind, over waves of that kind alone, in milliseconds.
  package var gaps: [String: Double] = [:]
  /// From the end of a wave's last fault to the first answer by all devices with nothing missing:
  /// median over the waves, in milliseconds.
  package var returnMedian = 0.0
  /// The longest of them.
  package var returnLongest = 0.0
  /// Processes of workers that were started.
  package var workerStarts = 0
  /// The most resident memory of a worker while all was quiet.
  package var peakResidentBytes = 0
  /// Steady growth of a worker's resident memory; see `ResourceLedger.growth`.
  package var growthBytes: Int?
  /// Messages of the garbage publisher.
  package var garbageMessages = 0
  /// Parts that were repeated with an epoch that is far too high.
  package var forgedParts = 0
  /// What failed, in words; empty if all checks passed.
  package var failures: [String] = []

  enum CodingKeys: String, CodingKey {
    case seed, minutes, devices, clients, method, faults, undone, waves, frames, answers, refused,
      repeated
    case degraded, disagreements, compared, computed, different, failures
    case inFlight = "in_flight"
    case framesPerSecond = "frames_per_s"
    case wholeLatencyP50 = "whole_p50_ms"
    case wholeLatencyP99 = "whole_p99_ms"
    case otherLatencyP50 = "other_p50_ms"
    case otherLatencyP99 = "other_p99_ms"
    case longestGap = "longest_gap_ms"
    case gaps = "longest_gap_by_kind_ms"
    case returnMedian = "return_median_ms"
    case returnLongest = "return_longest_ms"
    case workerStarts = "worker_starts"
    case peakResidentBytes = "peak_resident_bytes"
    case growthBytes = "growth_bytes"
    case garbageMessages = "garbage_messages"
    case forgedParts = "forged_parts"
  }
}
