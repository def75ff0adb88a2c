package import Foundations

/// How much comes on which topic. Bounded: what comes on further topics is added up as one.
package struct TrafficTable: Sendable {
  /// The traffic of one topic.
  package struct Entry: Sendable, Equatable {
    /// Messages published since the table began.
    package var messages: UInt64 = 0
    /// Bytes of their payloads.
    package var bytes: UInt64 = 0
    /// Whether the broker had kept a message from before.
    package var isRetained = false
    /// When the last message came, a kept one included.
    package var lastSeen: MonotonicTime
    /// The size of the last message in bytes.
    package var lastBytes = 0
    /// Messages and bytes of the last seconds.
    package var recent: RecentTraffic
  }

  /// The most topics that are told apart.
  package let maximumTopics: Int
  /// When the table began.
  package let start: MonotonicTime
  /// By topic.
  package private(set) var topics: [String: Entry] = [:]
  /// All topics that came when the table was full; nil when none did.
  package private(set) var others: Entry?
  /// Everything together.
  package private(set) var total: Entry

  /// An empty table for 10,000 topics unless told otherwise.
  package init(start: MonotonicTime, maximumTopics: Int = 10_000) {
    self.start = start
    self.maximumTopics = maximumTopics
    total = Entry(lastSeen: start, recent: RecentTraffic(start: start))
  }

  /// Counts a message.
  package mutating func record(
    topic: String, bytes: Int, isRetained: Bool, at now: MonotonicTime
  ) {
    total.add(bytes, isRetained, now)
    let new = Entry(lastSeen: now, recent: RecentTraffic(start: start))
    if topics[topic] != nil || topics.count < maximumTopics {
      topics[topic, default: new].add(bytes, isRetained, now)
    } else {
      var entry = others ?? new
      entry.add(bytes, isRetained, now)
      others = entry
    }
  }
}

extension TrafficTable.Entry {
  fileprivate mutating func add(_ size: Int, _ isKept: Bool, _ now: MonotonicTime) {
    lastSeen = now
    lastBytes = size
    if isKept {
      isRetained = true
      return
    }
    messages += 1
    bytes += UInt64(size)
    recent.add(size, at: now)
  }
}

/// Messages and bytes a second, over the last five seconds.
package struct RecentTraffic: Sendable, Equatable {
  /// How many seconds count.
  package static let window: UInt64 = 5

  private struct Bucket: Sendable, Equatable {
    var second: UInt64 = 0
    var messages: UInt64 = 0
    var bytes: UInt64 = 0
  }

  private let start: MonotonicTime
  /// One for each second of the window and for the one that is under way.
  private var buckets = [Bucket](repeating: Bucket(), count: Int(window) + 1)

  /// Nothing yet.
  package init(start: MonotonicTime) { self.start = start }

  /// Counts a message.
  package mutating func add(_ bytes: Int, at now: MonotonicTime) {
    let second = self.second(now)
    let index = Int(second % UInt64(buckets.count))
    if buckets[index].second != second { buckets[index] = Bucket(second: second) }
    buckets[index].messages += 1
    buckets[index].bytes += UInt64(bytes)
  }

  /// The rates now: of whole seconds only, but for the first second.
  package func rates(at now: MonotonicTime) -> (messages: Double, bytes: Double) {
    let current = second(now)
    guard current > 0 else {
      let seconds = max(Double(now.nanoseconds(since: start)) / 1e9, 0.1)
      return (Double(buckets[0].messages) / seconds, Double(buckets[0].bytes) / seconds)
    }
    let first = current > RecentTraffic.window ? current - RecentTraffic.window : 0
    let counted = buckets.filter { (first..<current).contains($0.second) }
    let seconds = Double(current - first)
    return (
      Double(counted.reduce(0) { $0 + $1.messages }) / seconds,
      Double(counted.reduce(0) { $0 + $1.bytes }) / seconds
    )
  }

  private func second(_ now: MonotonicTime) -> UInt64 {
    now.nanoseconds(since: start) / 1_000_000_000
  }
}
