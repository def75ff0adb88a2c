/// What passes a chain of resources piece by piece: when the first piece has passed, and when the last.
package struct Flow: Sendable {
  /// When the first piece has passed, in seconds from the start of the frame.
  package fileprivate(set) var first: Double
  /// When the last piece has passed.
  package fileprivate(set) var last: Double
  /// Pieces, at least one.
  package let pieces: Int

  /// Everything is there at one time, in seconds from the start of the frame.
  package init(at time: Double, pieces: Int) {
    first = time
    last = time
    self.pieces = pieces
  }

  /// The same, later.
  package func delayed(by seconds: Double) -> Flow {
    var flow = self
    flow.first += seconds
    flow.last += seconds
    return flow
  }
}

/// Something that serves one after the other: a processor, one direction of a link.
package struct Pipe: Sendable {
  /// When it has nothing more to do; in seconds from the start of the frame.
  package private(set) var free = 0.0
  /// Seconds of work in one frame.
  package private(set) var busy = 0.0

  /// Nothing to do yet.
  package init() {}

  /// Serves a flow, a piece as soon as it is there and the pieces before it are gone.
  ///
  /// - Parameter seconds: for all pieces together.
  package mutating func pass(_ flow: Flow, seconds: Double) -> Flow {
    var result = flow
    let begin = max(flow.first, free)
    let piece = seconds / Double(flow.pieces)
    result.first = begin + piece
    result.last = max(begin + seconds, flow.last + piece)
    // While it waits for pieces to come, others' are served.
    free = begin + seconds
    busy += seconds
    return result
  }
}
