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
