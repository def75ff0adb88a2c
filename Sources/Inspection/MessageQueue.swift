public import TensorCore

/// Messages between the network thread and whoever shows them: bounded in bytes and number.
///
/// What does not fit is dropped and counted, so that a slow reader costs lines and never memory or
/// the connection.
///
/// `@unchecked Sendable`: every variable is only touched with `lock` held.
public final class MessageQueue: @unchecked Sendable {
  /// What `take` found.
  public enum Taken: Sendable {
    /// Messages in the order in which they came; none when the deadline passed first.
    case messages([ObservedMessage])
    /// `close` was called.
    case closed
  }

  /// The most payload and topic bytes that wait.
  public let maximumBytes: Int
  /// The most messages that wait.
  public let maximumMessages: Int
  private let lock = NativeLock()
  private var waiting: [ObservedMessage] = []
  private var bytes = 0
  private var isClosed = false
  private var failure: MartletError?
  private var droppedMessages: UInt64 = 0

  /// An empty queue: 32 MiB and 10,000 messages unless told otherwise.
  public init(maximumBytes: Int = 32 << 20, maximumMessages: Int = 10_000) {
    self.maximumBytes = maximumBytes
    self.maximumMessages = maximumMessages
  }

  /// Messages dropped so far because there was no room.
  public var dropped: UInt64 { lock.withLock { droppedMessages } }

  /// Makes a message and keeps it, if there is room for `bytes`; false if it is dropped.
  @discardableResult
  public func offer(bytes size: Int, _ make: () -> ObservedMessage) -> Bool {
    lock.lock()
    defer { lock.unlock() }
    guard !isClosed else { return false }
    guard waiting.count < maximumMessages, bytes + size <= maximumBytes else {
      droppedMessages += 1
      return false
    }
    waiting.append(make())
    bytes += size
    if waiting.count == 1 { lock.broadcast() }
    return true
  }

  /// Waits for messages until `deadline` and takes all there are.
  ///
  /// - Throws: the error that `fail` was given.
  public func take(until deadline: MonotonicTime) throws(MartletError) -> Taken {
    lock.lock()
    defer { lock.unlock() }
    while waiting.isEmpty, !isClosed, failure == nil {
      guard lock.wait(until: deadline) else { break }
    }
    if let failure { throw failure }
    if isClosed { return .closed }
    let taken = waiting
    waiting = []
    bytes = 0
    return .messages(taken)
  }

  /// Whether `close` or `fail` was called.
  public var isEnded: Bool { lock.withLock { isClosed || failure != nil } }

  /// Ends the waiting; what waits is forgotten.
  public func close() {
    lock.withLock { isClosed = true }
    lock.broadcast()
  }

  /// Ends the waiting with an error. The first one stays.
  public func fail(_ error: MartletError) {
    lock.withLock { failure = failure ?? error }
    lock.broadcast()
  }
}
