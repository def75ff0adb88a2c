package import Tensors

/// Puts one part together, frame after frame, from messages that may come in any order, twice, or
/// not at all. One assembler serves one layer of one device.
///
/// Memory is that of one part, from the plan, and is not taken before the first message that fits.
/// A newer frame replaces an unfinished older one; any frame replaces a complete one or one of
/// another client.
package struct ChunkAssembler: Sendable {
  /// What became of a message.
  package enum Outcome: Sendable, Equatable {
    /// The part of the message's frame is here: see `withElements`.
    case complete
    /// More is needed.
    case incomplete(received: Int, of: Int)
    /// This chunk is already here, or its whole frame is.
    case duplicate
    /// A newer frame of the same client has been begun and is not complete.
    case late
    /// It does not fit: `wrongShape`, or `garbage` when it contradicts other chunks.
    case rejected(RejectReason)
  }

  /// What all chunks of one tensor must agree on.
  private struct Identity: Equatable {
    var frame: UInt64
    var epoch: UInt64
    var plan: String
    var client: String
    var type: ElementType
    var scale: Float
    var layout: ChunkLayout
  }

  /// The shape of the whole part.
  package let shape: Shape
  /// Frames that were left unfinished because a newer one came, ever.
  package private(set) var abandoned = 0
  private var identity: Identity?
  private var elements: [Float] = []
  private var received: [Bool] = []
  private var count = 0

  /// Expects parts of exactly this shape.
  package init(shape: Shape) { self.shape = shape }

  /// The frame being assembled or complete.
  package var frame: UInt64? { identity?.frame }

  /// Whether every element of `frame` is here.
  package var isComplete: Bool { identity != nil && count == received.count }

  /// Takes in one message. The caller has checked plan, layer and device (`PartValidator`).
  package mutating func receive(_ message: TensorMessage) -> Outcome {
    let header = message.header
    guard header.shape == shape else { return .rejected(.wrongShape) }
    let next = Identity(
      frame: header.frame, epoch: header.epoch, plan: header.plan, client: header.client,
      type: message.elementType, scale: message.scale, layout: message.layout)
    if let current = identity, current != next {
      // A device that has started again may send the same frame anew, or begin at a lower one. Which
      // epoch is its present one is for its presence to say, not for what came first.
      // Every client counts its frames on its own, and a device sends the chunks of one part in one
      // go: only an unfinished part of the same client is protected from what comes late.
      if next.epoch == current.epoch, next.client == current.client {
        if next.frame < current.frame, !isComplete { return .late }
        if next.frame == current.frame { return .rejected(.garbage) }
      }
    }
    if identity != next { begin(next) }
    guard !received[message.chunk] else { return .duplicate }
    let range = message.layout.range(of: message.chunk)
    let isWhole = elements.withUnsafeMutableBufferPointer {
      message.decodeElements(into: UnsafeMutableBufferPointer(rebasing: $0[range]))
    }
    guard isWhole else { return .rejected(.garbage) }
    received[message.chunk] = true
    count += 1
    return isComplete ? .complete : .incomplete(received: count, of: received.count)
  }

  /// Gives access to the elements of `frame`, once complete; nil before that.
  package func withElements<Result>(
    _ body: (UnsafeBufferPointer<Float>) throws -> Result
  ) rethrows -> Result? {
    guard isComplete else { return nil }
    return try elements.withUnsafeBufferPointer(body)
  }

  private mutating func begin(_ next: Identity) {
    if identity != nil, !isComplete { abandoned += 1 }
    identity = next
    if elements.isEmpty { elements = Array(repeating: 0, count: shape.count) }
    received.removeAll(keepingCapacity: true)
    received.append(contentsOf: repeatElement(false, count: next.layout.chunks))
    count = 0
  }
}
