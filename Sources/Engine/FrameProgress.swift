package import Foundations

/// Whether a frame that nobody has answered yet comes any further: while it does, it is not given up.
///
/// A frame that is sent again moves tensors again. Only what goes beyond the earlier attempts counts, so that
/// one that always ends at the same place is given up.
package struct FrameProgress: Sendable {
  /// All that had moved when the present attempt began; see `MovementBook.total`.
  package private(set) var mark: UInt64
  /// What moved during the best of the earlier attempts, in bytes.
  private var best: UInt64 = 0
  /// When the frame came further last, or began.
  private var last: MonotonicTime

  /// The frame is handed in.
  ///
  /// - Parameter moved: all that has moved before.
  package init(at now: MonotonicTime, moved: UInt64) {
    mark = moved
    last = now
  }

  /// Since when the frame has come no further.
  ///
  /// - Parameters:
  ///   - moved: all that has moved by now.
  ///   - movement: when anything moved last; nil if that cannot concern this frame.
  package func stillSince(moved: UInt64, movement: MonotonicTime?) -> MonotonicTime {
    guard let movement, moved > mark, moved - mark > best else { return last }
    return max(last, movement)
  }

  /// The frame is sent again.
  package mutating func begins(moved: UInt64, movement: MonotonicTime?) {
    last = stillSince(moved: moved, movement: movement)
    best = max(best, moved > mark ? moved - mark : 0)
    mark = moved
  }
}
