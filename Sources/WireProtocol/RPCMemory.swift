import Foundations

/// What a server remembers of calls, so that none is executed twice: those that run, and those that
/// ended before their deadline, with their answers as long as there is room for these.
struct RPCMemory: Sendable {
  struct Entry: Sendable {
    var deadline: MonotonicTime
    var isRunning = true
    /// The number of the next message of the answer.
    var nextIndex: UInt64 = 0
    /// The answer so far; nil once it was dropped to make room.
    var answer: [RPCMessage]? = []
    var bytes = 0
  }

  private let maximumCalls: Int
  private let maximumBytes: Int
  private var entries: [RPCCallKey: Entry] = [:]
  private(set) var running: Set<RPCCallKey> = []
  /// Ended calls in the order of their ends, from `first` on.
  private var ended: [RPCCallKey] = []
  private var first = 0
  private var bytes = 0
  private var nextSweep = MonotonicTime.zero

  init(maximumCalls: Int, maximumBytes: Int) {
    self.maximumCalls = maximumCalls
    self.maximumBytes = maximumBytes
  }

  subscript(key: RPCCallKey) -> Entry? { entries[key] }

  /// Remembers a new call; false when there is no room, because a call that is forgotten before its
  /// deadline could be executed twice.
  mutating func begin(_ key: RPCCallKey, deadline: MonotonicTime, at now: MonotonicTime) -> Bool {
    if entries.count >= maximumCalls / 2, now >= nextSweep { sweep(at: now) }
    guard entries.count < maximumCalls else { return false }
    entries[key] = Entry(deadline: deadline)
    running.insert(key)
    return true
  }

  /// Counts one message of a running call's answer; nil for a call that does not run.
  mutating func takeIndex(_ key: RPCCallKey) -> UInt64? {
    guard var entry = entries[key], entry.isRunning else { return nil }
    defer {
      entry.nextIndex += 1
      entries[key] = entry
    }
    return entry.nextIndex
  }

  /// Keeps a message of an answer for duplicates, dropping older answers to make room.
  mutating func keep(_ message: RPCMessage, of key: RPCCallKey) {
    guard var entry = entries[key], entry.answer != nil else { return }
    let cost = message.payload.count + message.topic.utf8.count + 128
    guard entry.bytes + cost <= maximumBytes / 4 else { return forgetAnswer(of: key) }
    entry.answer?.append(message)
    entry.bytes += cost
    bytes += cost
    entries[key] = entry
    while bytes > maximumBytes, first < ended.count {
      forgetAnswer(of: ended[first])
      first += 1
    }
    if first > 256, first > ended.count / 2 {
      ended.removeFirst(first)
      first = 0
    }
  }

  /// A call has ended.
  mutating func end(_ key: RPCCallKey) {
    guard running.remove(key) != nil else { return }
    entries[key]?.isRunning = false
    ended.append(key)
  }

  /// Running calls whose deadlines have passed.
  func expired(at now: MonotonicTime) -> [RPCCallKey] {
    running.filter { (entries[$0]?.deadline ?? .zero) <= now }
  }

  /// When the next running call expires.
  var nextDeadline: MonotonicTime {
    running.lazy.compactMap { entries[$0]?.deadline }.min() ?? .distantFuture
  }

  private mutating func forgetAnswer(of key: RPCCallKey) {
    bytes -= entries[key]?.bytes ?? 0
    entries[key]?.bytes = 0
    entries[key]?.answer = nil
  }

  /// Forgets ended calls whose deadlines have passed. Looks at everything, so not more often than
  /// ten times a second.
  private mutating func sweep(at now: MonotonicTime) {
    nextSweep = now.adding(milliseconds: 100)
    for (key, entry) in entries where !entry.isRunning && entry.deadline <= now {
      bytes -= entry.bytes
      entries[key] = nil
    }
    ended = ended[first...].filter { entries[$0] != nil }
    first = 0
  }
}
