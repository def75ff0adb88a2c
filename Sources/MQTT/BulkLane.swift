package import Foundations

/// The messages of the bulk lane: those that the library does not have yet, and an account of all.
///
/// The library writes in the order in which it got its messages. It gets of these only a few at a time,
/// so that what is published promptly waits behind few.
package struct BulkLane {
  /// While the library has this many bytes of the lane it gets no more.
  package static let window = 16 << 10

  /// Those before `start` are gone.
  private var queue: [MQTTMessage] = []
  private var start = 0
  /// Bytes that the library has.
  private var underWay = 0
  /// Messages that were accepted.
  package private(set) var accepted: UInt64 = 0
  /// Those of them that do not wait any more, written or lost.
  package private(set) var finished: UInt64 = 0
  /// Bytes that were written.
  package private(set) var bytesWritten: UInt64 = 0
  /// How fast they are written.
  package private(set) var rate = DrainRate()

  /// Nothing waits.
  package init() {}

  /// How many messages wait here.
  package var count: Int { queue.count - start }
  /// Whether none waits here.
  package var isEmpty: Bool { start == queue.count }
  /// Whether the library may get another message.
  package var isOpen: Bool { underWay < Self.window }

  /// Whether nothing waits, here or in the library.
  package var isIdle: Bool { isEmpty && underWay == 0 }

  /// A message was accepted, to wait here or by the library.
  package mutating func accept() { accepted += 1 }

  /// Keeps a message until those before it are written.
  package mutating func append(_ message: MQTTMessage) { queue.append(message) }

  /// The next message for the library, if it is to have one.
  package mutating func next() -> MQTTMessage? {
    guard !isEmpty, isOpen else { return nil }
    let message = queue[start]
    queue[start].payload = []
    start += 1
    if isEmpty || start == 64 {
      queue.removeFirst(start)
      start = 0
    }
    return message
  }

  /// The library has a message, and has not written all of it.
  package mutating func waits(_ bytes: Int, at now: MonotonicTime) {
    underWay += bytes
    rate.waits(at: now)
  }

  /// The library has written a message.
  ///
  /// - Parameter waited: whether it had to wait for that.
  package mutating func wrote(_ bytes: Int, waited: Bool, at now: MonotonicTime) {
    if waited { underWay -= bytes }
    finished += 1
    bytesWritten += UInt64(bytes)
    rate.wrote(bytes, isLast: underWay == 0 && isEmpty, at: now)
  }

  /// Takes a first guess of how fast the connection is, in bytes a second.
  package mutating func suppose(_ rate: Double) { self.rate.suppose(rate) }

  /// A message is published while nothing waits, here or in the system.
  package mutating func flows() { rate.flows() }

  /// The library did not take a message that had been accepted.
  package mutating func lose() { finished += 1 }

  /// Everything is lost with the connection.
  ///
  /// - Returns: the messages that waited here.
  package mutating func drop() -> ArraySlice<MQTTMessage> {
    defer {
      queue = []
      start = 0
      underWay = 0
      finished = accepted
      rate.reset()
    }
    return queue[start...]
  }
}
