package import Foundations
package import Plan

extension MaskedModel {
  /// What a kind of fill puts in the place of each channel of each point, measured on inputs.
  ///
  /// The result does not depend on the number of threads.
  ///
  /// - Parameters:
  ///   - count: how many inputs there are.
  ///   - threads: how many compute at once.
  ///   - progress: called with the number of inputs that are done.
  ///   - load: the elements of an input.
  /// - Returns: by point, then channel; nil for a kind that takes no constants.
  /// - Throws: `invalidArgument` without inputs, `cancelled` when stopped, what `load` throws.
  package func constants(
    of kind: Plan.Fill.Kind, count: Int, threads: Int = 1,
    progress: @escaping @Sendable (Int) -> Void = { _ in },
    isStopped: @escaping @Sendable () -> Bool = { false },
    load: @Sendable (Int) throws(MartletError) -> [Float]
  ) throws(MartletError) -> [[Float]]? {
    switch kind {
    case .zero: nil
    case .mean:
      try ChannelMeans.of(
        self, count: count, threads: threads, progress: progress, isStopped: isStopped, load: load)
    }
  }
}
