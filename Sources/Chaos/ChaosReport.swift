/// What a run did and found.
public struct ChaosReport: Sendable, Encodable {
  /// The seed of the schedule.
  public var seed: UInt64
  /// How long faults were applied.
  public var minutes: Double
  /// Worker processes at a time.
  public var devices: Int
  /// Clients.
  public var clients: Int
  /// Frames that each client keeps under way.
  public var inFlight: Int
  /// How neurons are spread.
  public var method: String
  /// Faults by kind.
  public var faults: [String: Int] = [:]
  /// Of these, asked of a worker in vain because the broker was away.
  public var undone = 0
  /// Groups of faults after which all had to come back.
  public var waves = 0
  /// Frames submitted.
  public var frames = 0
  /// Frames answered.
  public var answers = 0
  /// Frames refused, by status.
  public var refused: [String: Int] = [:]
  /// Frames sent again because nobody answered at all.
  public var repeated = 0
  /// Answers with something missing.
  public var degraded = 0
  /// Answers on whose way some devices lacked what others had.
  public var disagreements = 0
  /// Answers compared bit for bit with the same frame computed in this process.
  public var compared = 0
  /// Different frames computed for that.
  public var computed = 0
  /// Answers that differ.
  public var different = 0
  /// Answers a second, all clients.
  public var framesPerSecond = 0.0
  /// Milliseconds from submission to answer, median, all devices there and nothing missing.
  public var wholeLatencyP50 = 0.0
  /// The same, 99th percentile.
  public var wholeLatencyP99 = 0.0
  /// Milliseconds from submission to answer, median, of all other answers.
  public var otherLatencyP50 = 0.0
  /// The same, 99th percentile.
  public var otherLatencyP99 = 0.0
  /// The longest time between two answers to one client, in milliseconds.
  public var longestGap = 0.0
  /// The same by kind, over waves of that kind alone, in milliseconds.
  public var gaps: [String: Double] = [:]
  /// From the end of a wave's last fault to the first answer by all devices with nothing missing:
  /// median over the waves, in milliseconds.
  public var returnMedian = 0.0
  /// The longest of them.
  public var returnLongest = 0.0
  /// Processes of workers that were started.
  public var workerStarts = 0
  /// The most resident memory of a worker while all was quiet.
  public var peakResidentBytes = 0
  /// Steady growth of a worker's resident memory; see `ResourceLedger.growth`.
  public var growthBytes: Int?
  /// Messages of the garbage publisher.
  public var garbageMessages = 0
  /// Parts that were repeated with an epoch that is far too high.
  public var forgedParts = 0
  /// What failed, in words; empty if all checks passed.
  public var failures: [String] = []

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
