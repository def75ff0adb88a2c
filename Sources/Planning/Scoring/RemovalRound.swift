import Foundations
import Kernels

/// Removes the neurons of a layer, some at a time, on several threads: each has an execution of its
/// own and takes batches as it gets free. Results do not depend on which thread took what.
struct RemovalRound {
  private let study: RemovalStudy
  private let layer: RemovalLayer
  private let lanes: Int
  private var executions: [Execution] = []
  private var scratch: [AlignedMemory] = []

  /// Batches for each thread between two reports.
  private static let batches = 4

  /// - Throws: `resourceExhausted` when there is no memory for even one thread; with some, fewer
  ///   threads than wanted work.
  init(_ study: RemovalStudy, _ layer: RemovalLayer, lanes: Int) throws(MartletError) {
    self.study = study
    self.layer = layer
    for lane in 0..<lanes {
      do throws(MartletError) {
        guard let execution = try layer.makeExecution() else { break }
        guard let memory = AlignedMemory(count: layer.scratchCount) else {
          throw MemoryLimit.refusal(
            of: layer.scratchCount * MemoryLayout<Float>.stride, for: "the study of a layer")
        }
        executions.append(execution)
        scratch.append(memory)
      } catch {
        if lane == 0 { throw error }
        break
      }
    }
    self.lanes = max(executions.count, 1)
  }

  /// Scores neurons from `first` on, as many as give all threads some work.
  ///
  /// - Parameter known: the score of a neuron where it needs no computation.
  mutating func next(
    from first: Int, of count: Int, known: (Int) -> Double?
  ) -> [Double] {
    let enough = lanes * Self.batches * layer.batch
    var items: [RemovalLayer.Item] = []
    var results: [Double] = []
    var isKnown: [Bool] = []
    while first + results.count < count, items.count < enough {
      let neuron = first + results.count
      let value = known(neuron)
      results.append(value ?? 0)
      isKnown.append(value != nil)
      guard value == nil else { continue }
      for image in study.images.indices {
        let item = RemovalLayer.Item(neuron: neuron, image: image)
        if !layer.isWithoutEffect(item, study.images[image]) { items.append(item) }
      }
    }
    for (item, divergence) in zip(items, divergences(items)) {
      results[item.neuron - first] += divergence * study.unit
    }
    for index in results.indices where !isKnown[index] {
      results[index] /= Double(study.images.count)
    }
    return results
  }

  private func divergences(_ items: [RemovalLayer.Item]) -> [Double] {
    var results = [Double](repeating: 0, count: items.count)
    guard !executions.isEmpty else { return results }
    let batch = layer.batch
    results.withUnsafeMutableBufferPointer { results in
      let results = results
      parallelForEach((items.count + batch - 1) / batch, lanes: lanes) { task, lane in
        let range = task * batch..<min((task + 1) * batch, items.count)
        var position = range.lowerBound
        layer.run(
          items[range], images: study.images, on: executions[lane], scratch: scratch[lane],
          classes: study.classes
        ) { item, logits in
          results[position] = study.distributions[item.image].divergence(
            from: Distribution(logits: logits))
          position += 1
        }
      }
    }
    return results
  }
}
