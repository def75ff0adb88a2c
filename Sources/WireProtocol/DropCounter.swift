package import Foundations

/// Counts what is dropped, by reason, and says when a log line is due: the first time at once, then
/// at most once a second per reason, with the count since the last line.
package struct DropCounter<Reason: Hashable & Sendable>: Sendable {
  /// A line to log.
  package struct Line: Sendable, Equatable {
    /// Why things were dropped.
    package var reason: Reason
    /// How many since the last line for this reason.
    package var count: UInt64
    /// How many ever.
    package var total: UInt64
  }

  private struct Entry {
    var total: UInt64 = 0
    var pending: UInt64 = 0
    var lastLine: MonotonicTime?
  }

  /// Nanoseconds between two lines for one reason.
  package let interval: UInt64
  private var entries: [Reason: Entry] = [:]

  /// A counter with nothing counted yet.
  package init(intervalNanoseconds: UInt64 = 1_000_000_000) { interval = intervalNanoseconds }

  /// Counts one drop; returns a line when one is due.
  package mutating func record(_ reason: Reason, at now: MonotonicTime) -> Line? {
    entries[reason, default: Entry()].total += 1
    entries[reason]?.pending += 1
    return line(for: reason, at: now)
  }

  /// The lines that have become due for drops that were counted but not told yet, in no order.
  /// Call it now and then (with heartbeats), so that the last ones of a burst are told too.
  package mutating func due(at now: MonotonicTime) -> [Line] {
    entries.keys.compactMap { line(for: $0, at: now) }
  }

  /// How many were dropped for a reason, ever.
  package func total(_ reason: Reason) -> UInt64 { entries[reason]?.total ?? 0 }

  /// How many were dropped by reason, ever.
  package var totals: [Reason: UInt64] { entries.mapValues(\.total) }

  private mutating func line(for reason: Reason, at now: MonotonicTime) -> Line? {
    guard var entry = entries[reason], entry.pending > 0 else { return nil }
    if let last = entry.lastLine, now.nanoseconds(since: last) < interval { return nil }
    let line = Line(reason: reason, count: entry.pending, total: entry.total)
    entry.pending = 0
    entry.lastLine = now
    entries[reason] = entry
    return line
  }
}
