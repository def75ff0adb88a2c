package import Foundations
package import WireProtocol

/// The answers that clients publish: how many, the latest, and whom their clients count on.
package struct AnswerLog: Sendable {
  /// An answer.
  package struct Entry: Sendable, Equatable {
    /// The client whose frame it was.
    package var client: String
    /// The frame's number.
    package var frame: UInt64
    /// The class, by name where there is one.
    package var label: String
    /// Its probability.
    package var confidence: Double
    /// Milliseconds from sending the frame to its answer.
    package var latencyMilliseconds: Double
    /// Parts by device and why they were missing, such as `d2 lost`, most first; empty when nothing was.
    package var missing: [(what: String, parts: Int)]
    /// How many neurons were filled in.
    package var filledNeurons: Int
    /// When it came.
    package var time: MonotonicTime

    /// Compares everything.
    package static func == (left: Entry, right: Entry) -> Bool {
      left.client == right.client && left.frame == right.frame && left.label == right.label
        && left.confidence == right.confidence
        && left.latencyMilliseconds == right.latencyMilliseconds
        && left.missing.elementsEqual(right.missing) { $0 == $1 }
        && left.filledNeurons == right.filledNeurons && left.time == right.time
    }
  }

  /// Whom a client counted on when it sent its latest frame.
  private struct Trust: Sendable {
    var plan: String?
    var alive: Set<String>
    /// Of whom parts were missing because they had been too late before.
    var suspected: Set<String>
    var time: MonotonicTime
  }

  /// How many answers are remembered.
  package static let capacity = 100
  /// Beyond this many clients, whom they count on is not remembered.
  static let maximumClients = 256
  /// For how long the word of a client counts that has fallen silent.
  static let trustSeconds: UInt64 = 5

  /// Answers so far.
  package private(set) var answers: UInt64 = 0
  /// Answers so far from which something was missing.
  package private(set) var degradedAnswers: UInt64 = 0
  /// The latest answers, newest first.
  package private(set) var latest: [Entry] = []
  /// Answers of the last seconds.
  package private(set) var recent: RecentTraffic
  private var trusts: [String: Trust] = [:]

  /// No answers yet.
  package init(start: MonotonicTime) { recent = RecentTraffic(start: start) }

  /// Takes in an answer.
  package mutating func receive(_ result: FrameResult, of client: String, at now: MonotonicTime) {
    answers += 1
    recent.add(0, at: now)
    if !result.degraded.isEmpty { degradedAnswers += 1 }
    let counts = Dictionary(
      result.degraded.map { ("\($0.device) \($0.reason.rawValue)", 1) }, uniquingKeysWith: +)
    let entry = Entry(
      client: client, frame: result.frame,
      label: result.labelName ?? result.label.map { "\($0)" } ?? result.refusedOrRaw,
      confidence: result.confidence ?? 0, latencyMilliseconds: result.latencyMilliseconds,
      missing: counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { ($0.key, $0.value) },
      filledNeurons: result.filledNeurons, time: now)
    if latest.count == AnswerLog.capacity { latest.removeLast() }
    latest.insert(entry, at: 0)
    guard let alive = result.alive,
      trusts[client] != nil || trusts.count < AnswerLog.maximumClients
    else { return }
    trusts[client] = Trust(
      plan: result.plan, alive: Set(alive),
      suspected: Set(
        result.degraded.filter { [.suspect, .denied].contains($0.reason) }.map(\.device)), time: now
    )
  }

  /// Whether a client that is answered now goes on without a device of its plan, although the device
  /// may well be alive: its parts came too late.
  package func isSkipped(_ device: String, of plan: String?, at now: MonotonicTime) -> Bool {
    trusts.values.contains { trust in
      guard now.nanoseconds(since: trust.time) < AnswerLog.trustSeconds * 1_000_000_000 else {
        return false
      }
      if trust.suspected.contains(device) { return true }
      guard let plan, trust.plan == plan else { return false }
      return !trust.alive.contains(device)
    }
  }
}

extension FrameResult {
  /// What stands in place of a class where there is none.
  fileprivate var refusedOrRaw: String { status == .refused ? "refused" : task ?? "no class" }
}
