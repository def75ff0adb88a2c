/// What passes a chain of resources piece by piece: when the first piece has passed, and when the last.
struct Flow: Sendable {
  var first: Double
  var last: Double
  /// Pieces, at least one.
  var pieces: Int

  /// Everything is there at one time, in seconds from the start of the frame.
  init(at time: Double, pieces: Int) {
    first = time
    last = time
    self.pieces = pieces
  }

  /// The same, later.
  func delayed(by seconds: Double) -> Flow {
    var flow = self
    flow.first += seconds
    flow.last += seconds
    return flow
  }
}

/// Something that serves one after the other: a processor, one direction of a link.
struct Pipe: Sendable {
  /// When it has nothing more to do; in seconds from the start of the frame.
  private(set) var free = 0.0
  /// Seconds of work in one frame.
  private(set) var busy = 0.0

  /// Serves a flow, a piece as soon as it is there and the pieces before it are gone.
  ///
  /// - Parameter seconds: for all pieces together.
  mutating func pass(_ flow: Flow, seconds: Double) -> Flow {
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
