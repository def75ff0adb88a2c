public import TensorCore
public import WireProtocol

/// The answers that clients publish: how many, and the latest from which something was missing.
public struct AnswerLog: Sendable {
  /// An answer from which something was missing.
  public struct Degraded: Sendable, Equatable {
    /// The client whose frame it was.
    public var client: String
    /// The frame's number.
    public var frame: UInt64
    /// The class, by name where there is one.
    public var label: String
    /// Its probability.
    public var confidence: Double
    /// Milliseconds from sending the frame to its answer.
    public var latencyMilliseconds: Double
    /// Parts by device and why they were missing, such as `d2 lost`, most first.
    public var missing: [(what: String, parts: Int)]
    /// How many neurons were filled in.
    public var filledNeurons: Int
    /// When it came.
    public var time: MonotonicTime

    /// Compares everything.
    public static func == (left: Degraded, right: Degraded) -> Bool {
      left.client == right.client && left.frame == right.frame && left.label == right.label
        && left.confidence == right.confidence
        && left.latencyMilliseconds == right.latencyMilliseconds
        && left.missing.elementsEqual(right.missing) { $0 == $1 }
        && left.filledNeurons == right.filledNeurons && left.time == right.time
    }
  }

  /// How many degraded answers are remembered.
  public static let capacity = 100
  /// Answers so far.
  public private(set) var answers: UInt64 = 0
  /// Answers so far from which something was missing.
  public private(set) var degradedAnswers: UInt64 = 0
  /// The latest of those, newest first.
  public private(set) var latest: [Degraded] = []
  /// Answers of the last seconds.
  public private(set) var recent: RecentTraffic

  /// No answers yet.
  public init(start: MonotonicTime) { recent = RecentTraffic(start: start) }

  /// Takes in an answer.
  public mutating func receive(_ result: FrameResult, of client: String, at now: MonotonicTime) {
    answers += 1
    recent.add(0, at: now)
    guard !result.degraded.isEmpty else { return }
    degradedAnswers += 1
    let counts = Dictionary(
      result.degraded.map { ("\($0.device) \($0.reason.rawValue)", 1) }, uniquingKeysWith: +)
    let entry = Degraded(
      client: client, frame: result.frame, label: result.labelName ?? "\(result.label)",
      confidence: result.confidence, latencyMilliseconds: result.latencyMilliseconds,
      missing: counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { ($0.key, $0.value) },
      filledNeurons: result.filledNeurons, time: now)
    if latest.count == AnswerLog.capacity { latest.removeLast() }
    latest.insert(entry, at: 0)
  }
}
