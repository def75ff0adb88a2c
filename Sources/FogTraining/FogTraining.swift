package import FogNetwork
package import Foundations
import JSONCoding
import TensorFiles

/// Trains networks across edge, fog and cloud.
package enum FogTraining {
  /// Where a run saves what it has, so that the same call goes on from there.
  package struct Checkpoint: Sendable {
    /// The file. Remove it once the model is in safety.
    package var path: String
    /// The least time between two writes.
    package var interval: Duration

    /// Names the file.
    package init(path: String, interval: Duration = .seconds(5)) {
      self.path = path
      self.interval = interval
    }
  }

  /// Trains a network. The result depends on design, data and options only, whether or not the run
  /// was interrupted.
  ///
  /// - Parameters:
  ///   - labels: class names; empty when unknown.
  ///   - checkpoint: if the file exists, the run goes on from it.
  ///   - observe: called after every step; may throw to stop.
  /// - Returns: the weights of the epoch that was most accurate on the validation samples, of equally
  ///   accurate ones that with the smallest loss.
  /// - Throws: `invalidArgument` for options without sense; `unsupported` for double precision with
  ///   other layers than dense ones; `mismatch` for another run's checkpoint; what `observe` throws.
  package static func run(
    _ design: FogDesign, train: FogData, validation: FogData, labels: [String] = [],
    options: FogTrainingOptions, checkpoint: Checkpoint? = nil,
    observe: (FogTrainingProgress) throws(MartletError) -> Void = { _ in }
  ) throws(MartletError) -> FogModel {
    try options.check()
    let weights = InitialWeights.make(design, start: options.start, seed: options.seed)
    let batch = min(options.batch, max(train.count, 1))
    switch options.precision {
    case .single:
      let network = try TrainingNetwork<TapeUnit>(design, batch: batch) {
        unit, needs throws(MartletError) in
        try TapeUnit(unit, batch: batch, weights: weights, needsInputGradient: needs)
      }
      return try run(network, train, validation, labels, options, checkpoint, observe)
    case .double:
      let network = try TrainingNetwork<DoubleUnit>(design, batch: batch) {
        unit, needs throws(MartletError) in
        try DoubleUnit(unit, batch: batch, weights: weights, needsInputGradient: needs)
      }
      return try run(network, train, validation, labels, options, checkpoint, observe)
    }
  }

  private static func run<Unit: TrainableUnit>(
    _ network: TrainingNetwork<Unit>, _ train: FogData, _ validation: FogData, _ labels: [String],
    _ options: FogTrainingOptions, _ checkpoint: Checkpoint?,
    _ observe: (FogTrainingProgress) throws(MartletError) -> Void
  ) throws(MartletError) -> FogModel {
    let design = network.design
    let frequencies = train.frequencies(classes: design.topology.classes)
    var run = TrainingRun(
      network, options: options,
      classWeights: frequencies.map { share in
        guard options.isClassWeighted else { return 1 }
        return share > 0 ? 1 / (share * Double(frequencies.count)) : 0
      })
    var fingerprint = ""
    if let checkpoint {
      fingerprint = try self.fingerprint(design, [train, validation], options)
      if FileSystem.exists(checkpoint.path) {
        run.restore(
          try TrainingCheckpoint(
            reading: checkpoint.path, fingerprint: fingerprint,
            counts: run.parameters.map(\.count)))
      }
    }
    let clock = ContinuousClock()
    var saved = clock.now
    while run.epoch < options.epochs {
      try run.runEpoch(train, validation, observe: observe)
      if let checkpoint, run.epoch < options.epochs, clock.now - saved >= checkpoint.interval {
        try run.checkpoint(fingerprint: fingerprint).write(to: checkpoint.path)
        saved = clock.now
      }
    }
    let model = try FogModel(
      design: design, weights: run.bestWeights, frequencies: frequencies, labels: labels,
      history: FogModel.History(
        seed: options.seed, epoch: run.bestEpoch, epochs: run.epoch,
        validationAccuracy: run.bestAccuracy, failout: options.failout?.name))
    return model
  }

  /// Of all that decides a run but the number of epochs.
  private static func fingerprint(
    _ design: FogDesign, _ data: [FogData], _ options: FogTrainingOptions
  ) throws(MartletError) -> String {
    var options = options
    options.epochs = 1
    var text = try JSON.encodeString(options) + (try JSON.encodeString(design.topology))
    for set in data {
      let bytes =
        set.inputs.withUnsafeBytes { Array($0) } + set.labels.withUnsafeBytes { Array($0) }
      text += try FileDigest.sha256(bytes)
    }
    return try FileDigest.sha256(Array(text.utf8))
  }
}
