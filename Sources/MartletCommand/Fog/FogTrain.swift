import ArgumentParser
import FogNetwork
import FogTraining
import Foundations
import Kernels
import Processes
import Tables
import TensorFiles

/// `martlet fog train`: weights for a topology.
struct FogTrain: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Trains a network across edge, fog and cloud.",
    discussion: """
      The data folder holds train-inputs.npy (float32, one sample a row), train-labels.npy (integers),
      the same for validation and test, and perhaps labels.txt with a class name a line. The weights
      of the epoch with the best validation accuracy are kept.

      --failout drops whole nodes while training (ResiliNet): give the probability to survive, or the
      name of a reliability setting of the topology.

      After Ctrl-C the same command goes on where it stopped (MODEL.checkpoint).

      Examples:
        martlet fog train topology.json --data data/ -o model.fog
        martlet fog train topology.json --data data/ -o vanilla.fog --no-skips
        martlet fog train topology.json --data data/ -o failout.fog --failout 0.9 --seed 2
      """)

  @Argument(help: "The topology file.", completion: .file())
  var topology: String

  @Option(help: "The folder of samples and labels.", completion: .directory)
  var data: String

  @Option(name: [.short, .long], help: "The file of the trained network.", completion: .file())
  var output: String

  @Option(help: "Passes over the training samples.")
  var epochs = 50

  @Option(help: "Samples of one step.")
  var batch = 1024

  @Option(help: "Step size of Adam.")
  var rate = 1e-3

  @Option(help: "Seed of weights, order and dropped nodes.")
  var seed = 1

  @Flag(help: "Weight the loss of each class by samples / (classes x its samples).")
  var classWeights = false

  @Flag(help: "Leave skip hyperconnections out (the paper's Vanilla).")
  var noSkips = false

  @Option(
    help: ArgumentHelp(
      "Multiply each hyperconnection's weight with its sender's survival in a setting.",
      valueName: "setting"))
  var survivalWeights: String?

  @Option(help: ArgumentHelp("Drop nodes while training.", valueName: "probability|setting"))
  var failout: String?

  @Option(
    help: "How weights start: glorot, as in Keras, or he, for deep chains.",
    transform: FogTrain.choice)
  var start: FogTrainingOptions.Start = .glorot

  @Option(
    help: "single, or double to check with (dense layers only).", transform: FogTrain.choice)
  var precision: FogTrainingOptions.Precision = .single

  @Option(help: "Threads that compute. The weights do not depend on it.")
  var threads = 1

  @Flag(help: "Do not go on from a checkpoint: start anew.")
  var restart = false

  @OptionGroup var overwrite: OverwriteOptions

  @Flag(help: "Print one JSON object.")
  var json = false

  func validate() throws {
    guard (1...256).contains(threads) else { throw ValidationError("--threads must be 1 to 256") }
  }

  func run() throws {
    try OutputFiles.check([output], overwrite)
    var topology = try FogDesign.load(self.topology).topology
    if noSkips { topology = topology.withoutSkips }
    if let survivalWeights {
      topology = topology.weighted(by: try FogDesign(topology).setting(survivalWeights))
    }
    let design = try FogDesign(topology)
    let options = try options(design)
    let train = try FogData(folder: data, split: "train", design: design)
    let validation = try FogData(folder: data, split: "validation", design: design)
    let names = try FogData.names(folder: data, classes: topology.classes)
    ComputeThreads.set(threads)
    let checkpoint = FogTraining.Checkpoint(path: output + ".checkpoint")
    if restart { try FileSystem.remove(checkpoint.path) }

    let stopped = StopFlag()
    let signals = try TerminationSignals { stopped.set(signal: $0) }
    defer { signals.stop() }
    defer { Terminal.endProgress() }
    let session = FogTrainingSession(stopped: stopped, checkpoint: checkpoint.path)
    let model = try FogTraining.run(
      design, train: train, validation: validation, labels: names, options: options,
      checkpoint: checkpoint, observe: session.observe)
    try model.write(to: output)
    try FileSystem.remove(checkpoint.path)
    Terminal.endProgress()
    try report(model, session, samples: train.count)
  }

  private static func choice<Value: RawRepresentable<String> & CaseIterable>(
    _ text: String
  ) throws -> Value {
    if let value = Value(rawValue: text) { return value }
    throw ValidationError(
      "\(text) is not one of " + Value.allCases.map(\.rawValue).joined(separator: ", "))
  }

  private func options(_ design: FogDesign) throws -> FogTrainingOptions {
    var options = FogTrainingOptions()
    options.epochs = epochs
    options.batch = batch
    options.rate = rate
    options.seed = seed
    options.isClassWeighted = classWeights
    options.precision = precision
    options.start = start
    if let failout {
      if let survival = Double(failout) {
        guard (0...1).contains(survival) else {
          throw ValidationError("--failout takes a probability from 0 to 1 or a setting's name")
        }
        options.failout = .init(survival: survival, design: design)
      } else {
        options.failout = .init(setting: try design.setting(failout), design: design)
      }
    }
    return options
  }

  private struct Report: Encodable {
    var file: String
    var weights: Int
    var samples: Int
    var epochs: Int
    var bestEpoch: Int
    var validationAccuracy: Double
    var secondsPerEpoch: Double?

    private enum CodingKeys: String, CodingKey {
      case file, weights, samples, epochs
      case bestEpoch = "best_epoch"
      case validationAccuracy = "validation_accuracy"
      case secondsPerEpoch = "seconds_per_epoch"
    }
  }

  private func report(
    _ model: FogModel, _ session: FogTrainingSession, samples: Int
  ) throws {
    let report = Report(
      file: output, weights: model.design.units.reduce(0) { $0 + $1.parameters },
      samples: samples, epochs: model.history.epochs, bestEpoch: model.history.epoch,
      validationAccuracy: model.history.validationAccuracy,
      secondsPerEpoch: session.secondsPerEpoch)
    if json { return try Terminal.printJSON(report) }
    try Terminal.print(
      "\(output): \(report.weights.asCount) weights, \(samples) samples, \(report.epochs) epochs"
        + (report.secondsPerEpoch.map { " of \($0.formatted(3)) s" } ?? ""))
    try Terminal.print(
      "best after epoch \(report.bestEpoch): "
        + "\((report.validationAccuracy * 100).formatted(2)) % of the validation samples")
  }
}

/// Shows the progress of training, measures it, and stops it when asked to.
private final class FogTrainingSession {
  private let stopped: StopFlag
  private let checkpoint: String
  private let clock = ContinuousClock()
  private var begun: (time: ContinuousClock.Instant, epoch: Int)?
  private var ended: (time: ContinuousClock.Instant, epoch: Int)?
  private var shown: ContinuousClock.Instant?

  init(stopped: StopFlag, checkpoint: String) {
    self.stopped = stopped
    self.checkpoint = checkpoint
  }

  /// Without the first epoch, which loads code and touches memory for the first time; nil for fewer
  /// than two.
  var secondsPerEpoch: Double? {
    guard let begun, let ended, ended.epoch > begun.epoch else { return nil }
    return (ended.time - begun.time).inMilliseconds / 1e3 / Double(ended.epoch - begun.epoch)
  }

  func observe(_ progress: FogTrainingProgress) throws(MartletError) {
    if stopped.signal != nil {
      throw MartletError(
        .cancelled, "stopped", context: ["checkpoint": checkpoint],
        hint: "the same command goes on from the last epoch that was saved")
    }
    let now = clock.now
    if progress.validationAccuracy != nil {
      if begun == nil { begun = (now, progress.epoch) }
      ended = (now, progress.epoch)
    }
    let interval: Duration = Terminal.isInteractive ? .milliseconds(200) : .seconds(10)
    if let shown, now - shown < interval { return }
    shown = now
    var line = "epoch \(progress.epoch)/\(progress.epochs), step \(progress.step)/\(progress.steps)"
    line += ", loss \(progress.loss.formatted(4)), \((progress.accuracy * 100).formatted(1)) %"
    if let best = progress.bestAccuracy {
      line += ", validation at best \((best * 100).formatted(1)) %"
    }
    if let seconds = secondsPerEpoch {
      let left =
        Double(progress.epochs - progress.epoch + 1)
        - Double(progress.step) / Double(progress.steps)
      line += ", \((seconds * left).formatted(0)) s left"
    }
    if Terminal.isInteractive { Terminal.progress(line) } else { Terminal.printLine(line) }
  }
}
