import Planning

/// How far a long computation is.
public struct WorkProgress: Sendable, Hashable {
  /// What is counted, such as `image`.
  public let what: String
  /// How many are done.
  public let done: Int
  /// How many there are.
  public let total: Int

  /// Gets to know how far a computation is, from any thread.
  public typealias Handler = @Sendable (WorkProgress) -> Void
}

extension Measuring {
  /// Measures until it is stopped.
  ///
  /// - Parameter threads: all processors if nil.
  init(
    threads: Int?, isStopped: @escaping @Sendable () -> Bool, progress: WorkProgress.Handler?
  ) {
    self.init(threads: threads, isStopped: isStopped) { what, total, _ in
      { done in progress?(WorkProgress(what: what, done: done, total: total)) }
    }
  }
}
