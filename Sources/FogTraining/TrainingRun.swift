package import FogNetwork
package import Foundations
package import Tensors

/// One training run: epochs of mini-batches, the validation-best weights kept. Everything random
/// follows from the seed and the epoch's number, so that a run can go on from any epoch.
package struct TrainingRun<Unit: TrainableUnit> {
  package typealias Scalar = Unit.Scalar

  package let network: TrainingNetwork<Unit>
  package let options: FogTrainingOptions
  package let classWeights: [Scalar]
  package let parameters: [Parameter<Scalar>]
  package private(set) var adam: Adam<Scalar>
  package private(set) var epoch = 0
  package private(set) var best: [[Scalar]]
  package private(set) var bestEpoch = 0
  package private(set) var bestAccuracy = -1.0
  package private(set) var bestLoss = Double.infinity
  /// `[batch, sampleCount]`; rows beyond the last batch keep what was there.
  private var samples: [Scalar]

  package init(
    _ network: TrainingNetwork<Unit>, options: FogTrainingOptions, classWeights: [Double]
  ) {
    self.network = network
    self.options = options
    self.classWeights = classWeights.map { Scalar($0) }
    parameters = network.parameters
    adam = Adam(rate: options.rate, parameters: parameters)
    best = parameters.map(\.copy)
    samples = [Scalar](repeating: 0, count: network.batch * network.design.sampleCount)
  }

  // MARK: Epochs

  /// Trains one epoch and looks at the validation samples.
  package mutating func runEpoch(
    _ train: FogData, _ validation: FogData,
    observe: (FogTrainingProgress) throws(MartletError) -> Void
  ) throws(MartletError) {
    epoch += 1
    var generator = SeededGenerator(stream: epoch, of: options.seed)
    let order = generator.permutation(train.count)
    let steps = (train.count + network.batch - 1) / network.batch
    var progress = FogTrainingProgress(
      epoch: epoch, epochs: options.epochs, step: 0, steps: steps, loss: 0, accuracy: 0,
      bestAccuracy: bestAccuracy < 0 ? nil : bestAccuracy)
    var (loss, correct, seen) = (0.0, 0, 0)
    for step in 0..<steps {
      let rows = order[(step * network.batch)..<min((step + 1) * network.batch, order.count)]
      let alive = draw(&generator)
      if let result = self.step(train, rows, alive: alive) {
        loss += result.loss * Double(rows.count)
        correct += result.correct
        seen += rows.count
      }
      progress.step = step + 1
      progress.loss = loss / Double(max(seen, 1))
      progress.accuracy = Double(correct) / Double(max(seen, 1))
      if step + 1 < steps { try observe(progress) }
    }
    let result = evaluate(validation)
    // Small validation sets leave many epochs equally accurate: of those the surest is best.
    if (result.accuracy, -result.loss) > (bestAccuracy, -bestLoss) {
      (bestAccuracy, bestLoss, bestEpoch) = (result.accuracy, result.loss, epoch)
      best = parameters.map(\.copy)
    }
    progress.validationAccuracy = result.accuracy
    progress.bestAccuracy = bestAccuracy
    try observe(progress)
  }

  private func draw(_ generator: inout SeededGenerator) -> [Bool] {
    guard let survival = options.failout?.survival else {
      return network.design.topology.nodes.map { _ in true }
    }
    return survival.map { generator.unit() < $0 }
  }

  /// One step on these samples; nil when nothing reached the cloud and nothing was changed.
  package mutating func step(
    _ data: FogData, _ rows: ArraySlice<Int>, alive: [Bool]
  ) -> CrossEntropy.Result? {
    guard let result = differentiate(data, rows, alive: alive) else { return nil }
    adam.step(parameters)
    return result
  }

  /// The loss and all gradients on these samples; nil when nothing reaches the cloud.
  package mutating func differentiate(
    _ data: FogData, _ rows: ArraySlice<Int>, alive: [Bool]
  ) -> CrossEntropy.Result? {
    let result = run(data, rows, alive: alive, gradient: network.cotangent)
    if result != nil { network.backward() }
    return result
  }

  /// Loss and accuracy with nobody missing.
  package mutating func evaluate(_ data: FogData) -> (loss: Double, accuracy: Double) {
    let everybody = network.design.topology.nodes.map { _ in true }
    let order = Array(0..<data.count)
    var (loss, correct) = (0.0, 0)
    for start in stride(from: 0, to: data.count, by: network.batch) {
      let rows = order[start..<min(start + network.batch, data.count)]
      guard let result = run(data, rows, alive: everybody, gradient: nil) else { continue }
      loss += result.loss * Double(rows.count)
      correct += result.correct
    }
    let count = Double(max(data.count, 1))
    return (loss / count, Double(correct) / count)
  }

  private mutating func run(
    _ data: FogData, _ rows: ArraySlice<Int>, alive: [Bool],
    gradient: UnsafeMutablePointer<Scalar>?
  ) -> CrossEntropy.Result? {
    let width = data.width
    samples.withUnsafeMutableBufferPointer { samples in
      data.inputs.withUnsafeBufferPointer { inputs in
        for (place, row) in rows.enumerated() {
          for column in 0..<width {
            samples[place * width + column] = Scalar(inputs[row * width + column])
          }
        }
      }
    }
    let flows = samples.withUnsafeBufferPointer { samples in
      samples.baseAddress.map { network.forward($0, alive: alive) } ?? false
    }
    guard flows else { return nil }
    return CrossEntropy.run(
      network.logits, labels: rows.map { data.labels[$0] }, batch: network.batch,
      classes: network.design.topology.classes, weights: classWeights, gradient: gradient)
  }

  // MARK: Going on

  func checkpoint(fingerprint: String) -> TrainingCheckpoint<Scalar> {
    TrainingCheckpoint(
      status: .init(
        fingerprint: fingerprint, epoch: epoch, steps: adam.steps, bestEpoch: bestEpoch,
        bestAccuracy: bestAccuracy, bestLoss: bestLoss),
      values: parameters.map(\.copy), means: adam.means, squares: adam.squares, best: best)
  }

  mutating func restore(_ checkpoint: TrainingCheckpoint<Scalar>) {
    epoch = checkpoint.status.epoch
    bestEpoch = checkpoint.status.bestEpoch
    bestAccuracy = checkpoint.status.bestAccuracy
    bestLoss = checkpoint.status.bestLoss
    best = checkpoint.best
    adam.restore(
      steps: checkpoint.status.steps, means: checkpoint.means, squares: checkpoint.squares)
    for (parameter, values) in zip(parameters, checkpoint.values) { parameter.set(values) }
  }

  /// The best weights in float32.
  package var bestWeights: [String: Tensor] {
    Dictionary(
      uniqueKeysWithValues: zip(parameters, best).map { parameter, values in
        (parameter.name, Tensor(parameter.shape, values.map { Float($0) }))
      })
  }
}
