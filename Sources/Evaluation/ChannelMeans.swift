package import Foundations
import Kernels
import ModelGraph
import Synchronization
import Tensors

/// The mean of each channel of each point over calibration inputs: what a reader of a value expects
/// of a channel that it does not get.
package enum ChannelMeans {
  /// Runs the undamaged model over some inputs.
  ///
  /// The result does not depend on the number of threads.
  ///
  /// - Parameters:
  ///   - count: how many inputs there are.
  ///   - threads: how many compute at once.
  ///   - progress: called with the number of inputs that are done.
  ///   - load: the elements of an input.
  /// - Returns: means by point, then channel.
  /// - Throws: `invalidArgument` without inputs, `cancelled` when stopped, what `load` throws.
  package static func of(
    _ model: MaskedModel, count: Int, threads: Int = 1,
    progress: @escaping @Sendable (Int) -> Void = { _ in },
    isStopped: @escaping @Sendable () -> Bool = { false },
    load: @Sendable (Int) throws(MartletError) -> [Float]
  ) throws(MartletError) -> [[Float]] {
    guard count > 0 else {
      throw MartletError(.invalidArgument, "there are no calibration images to take means over")
    }
    let batch = model.batch
    let batches = (count + batch - 1) / batch
    // Sums by batch, added up in order: the order of float additions must not be chance.
    let sums = Mutex([[[Double]]](repeating: [], count: batches))
    let done = Mutex(0)
    try BatchWorkers.run(tasks: batches, threads: threads) { () throws(MartletError) in
      try MaskedExecution(model)
    } body: { task, execution throws(MartletError) in
      if isStopped() { throw MartletError(.cancelled, "stopped") }
      let range = task * batch..<min((task + 1) * batch, count)
      try MemoryLimit.require(
        model.batch * model.inputCounts[0], of: MemoryLayout<Float>.size, for: "a batch of images")
      var elements: [Float] = []
      for index in range { elements += try load(index) }
      elements += [Float](repeating: 0, count: (batch - range.count) * model.inputCounts[0])
      var own: [[Double]] = model.points.map { _ in [] }
      execution.observe([elements]) { point, values in
        own[point] = model.channelSums(values, point: point, entries: range.count)
      }
      sums.withLock { $0[task] = own }
      let finished = done.withLock { done in
        done += range.count
        return done
      }
      progress(finished)
    }
    let byBatch = sums.withLock { $0 }
    return model.points.indices.map { point in
      let cells = Double(count * model.cells(of: point))
      return (0..<model.channels(of: point)).map { channel in
        Float(byBatch.reduce(0) { $0 + $1[point][channel] } / cells)
      }
    }
  }
}

extension MaskedModel {
  /// How many numbers a channel has for one entry of the batch.
  fileprivate func cells(of point: Int) -> Int {
    program.graph[points[point].value].shape.count / batch / channels(of: point)
  }

  /// The sum of each channel over the first entries of the batch.
  fileprivate func channelSums(
    _ values: UnsafeBufferPointer<Float>, point: Int, entries: Int
  ) -> [Double] {
    let shape = program.graph[points[point].value].shape
    let axis = points[point].axis
    let inner = shape.innerCount(after: axis)
    let outer = shape.outerCount(before: axis) / batch * entries
    var sums = [Double](repeating: 0, count: shape[axis])
    for block in 0..<outer {
      for channel in 0..<shape[axis] {
        let start = (block * shape[axis] + channel) * inner
        var sum = 0.0
        for index in start..<start + inner { sum += Double(values[index]) }
        sums[channel] += sum
      }
    }
    return sums
  }
}
