/// The answers to a sequence of inputs, in their order; see ``InferenceSession/answers(for:)``.
///
/// Each iterator asks the inputs anew. Inputs are taken, and frames sent, from the making of an iterator
/// on, never more than ``InferenceSession/inFlight`` ahead of the answers that were taken from it.
/// Sending ends when the iterator is gone.
public struct AnswerSequence: AsyncSequence, Sendable {
  /// Takes answers. One task at a time.
  public struct Iterator: AsyncIteratorProtocol {
    private let pipe: AnswerPipe
    private let lifeline: Lifeline
    private var isOver = false

    fileprivate init(_ pipe: AnswerPipe, _ lifeline: Lifeline) {
      self.pipe = pipe
      self.lifeline = lifeline
    }

    /// The next answer; nil after the last.
    ///
    /// - Throws: what the inputs throw; ``MartletError`` as ``PendingAnswer/value``, for a frame that got
    ///   no answer. The sequence is over then, and what is under way is dropped.
    public mutating func next() async throws -> Answer? {
      guard !isOver else { return nil }
      do {
        if let answer = try await pipe.next() { return answer }
      } catch {
        isOver = true
        lifeline.cut()
        throw error
      }
      isOver = true
      return nil
    }
  }

  /// Ends the task that feeds inputs, at the latest with the iterator.
  final class Lifeline: Sendable {
    private let feeder: Task<Void, Never>

    init(_ feeder: Task<Void, Never>) { self.feeder = feeder }

    deinit { cut() }

    func cut() { feeder.cancel() }
  }

  private let limit: @Sendable () -> Int
  private let feed: @Sendable (AnswerPipe) async -> Void

  init(
    limit: @escaping @Sendable () -> Int, feed: @escaping @Sendable (AnswerPipe) async -> Void
  ) {
    self.limit = limit
    self.feed = feed
  }

  /// Begins to take inputs and to send frames.
  public func makeAsyncIterator() -> Iterator {
    let (pipe, feed) = (AnswerPipe(limit: limit), feed)
    return Iterator(pipe, Lifeline(Task { await feed(pipe) }))
  }
}
