import Foundations
import WireProtocol

/// Counts what is dropped, and keeps the lines that are due until somebody logs them.
struct DropLog<Reason: Hashable & Sendable> {
  private(set) var counter = DropCounter<Reason>()
  private var lines: [DropCounter<Reason>.Line] = []

  /// Counts one.
  mutating func record(_ reason: Reason, at now: MonotonicTime) {
    if let line = counter.record(reason, at: now) { lines.append(line) }
  }

  /// What to log: at most one line a second for each reason.
  mutating func takeLines(now: MonotonicTime) -> [DropCounter<Reason>.Line] {
    defer { lines = [] }
    return lines + counter.due(at: now)
  }
}
