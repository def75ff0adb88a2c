package import WireProtocol

/// The frame that a heartbeat may call finished: one whose parts have all left. A heartbeat overtakes
/// tensors that wait, and whoever hears it would hold parts to be lost that are still to come.
package struct SentFrames {
  private var waiting: [(frame: UInt64, mark: UInt64)] = []
  /// The last frame whose parts have left; 0 before the first.
  package private(set) var last: UInt64 = 0

  /// Nothing is finished.
  package init() {}

  /// Takes the frame that was finished last, and how far its parts have come.
  ///
  /// - Parameters:
  ///   - accepted: the tensor messages that have been handed to the connection.
  ///   - left: those of them that do not wait any more.
  package mutating func update(_ frame: UInt64, accepted: UInt64, left: UInt64) {
    if frame != waiting.last?.frame ?? last { waiting.append((frame, accepted)) }
    while let first = waiting.first, first.mark <= left {
      last = first.frame
      waiting.removeFirst()
    }
  }
}

/// How far a heartbeat may say that frames have come; see `SentFrames`.
package struct SentParts {
  /// Stages that wait for their parts to leave. Beyond that the oldest are not told of.
  static let longest = 1024

  private var waiting: [(mark: SentMark, end: UInt64)] = []

  /// Nothing is sent.
  package init() {}

  /// Takes what was handed to the connection, and how far that has come.
  ///
  /// - Parameters:
  ///   - accepted: the tensor messages that have been handed over until after these.
  ///   - left: those that do not wait any more.
  /// - Returns: what heartbeats may say now, the oldest first.
  package mutating func update(
    _ marks: [SentMark], accepted: UInt64, left: UInt64
  ) -> [SentMark] {
    for mark in marks { waiting.append((mark, accepted)) }
    if waiting.count > Self.longest { waiting.removeFirst(waiting.count - Self.longest) }
    let count = waiting.firstIndex { $0.end > left } ?? waiting.count
    defer { waiting.removeFirst(count) }
    return waiting[..<count].map(\.mark)
  }
}

/// What the next heartbeats say of frames: how far each has come, a few times, for a heartbeat may be lost.
package struct SentNews: Sendable {
  /// How often each is said.
  static let times = 3

  private var news: [(mark: SentMark, said: Int)] = []

  /// Nothing is new.
  package init() {}

  /// Something has left. Of the frames that are spoken of the oldest gives way.
  package mutating func add(_ mark: SentMark) {
    if let known = news.firstIndex(where: { $0.mark.key == mark.key }) { news.remove(at: known) }
    if news.count >= Heartbeat.sentFrames { news.removeFirst() }
    news.append((mark, 0))
  }

  /// What a heartbeat says now.
  package mutating func say() -> [SentMark] {
    for index in news.indices { news[index].said += 1 }
    defer { news.removeAll { $0.said >= Self.times } }
    return news.map(\.mark)
  }
}
