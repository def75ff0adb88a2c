import FogNetwork
import FogTraining
import Foundations
import Processes
import TensorFiles
import Testing

@Suite struct TrainingTests {
  private static func options(_ seed: Int = 1) -> FogTrainingOptions {
    var options = FogTrainingOptions()
    options.epochs = 30
    options.batch = 32
    options.rate = 5e-3
    options.seed = seed
    options.start = .he
    return options
  }

  private func data(_ design: FogDesign) -> (train: FogData, validation: FogData, test: FogData) {
    (
      learnable(300, design, seed: 1), learnable(60, design, seed: 2),
      learnable(200, design, seed: 3)
    )
  }

  private func accuracy(_ model: FogModel, _ data: FogData) throws -> Double {
    try FogResiliency(model, data: data, settings: []).plainAccuracy
  }

  @Test(arguments: FogTrainingOptions.Precision.allCases) func `a network learns`(
    precision: FogTrainingOptions.Precision
  ) throws {
    let design = try FogDesign(.small)
    let (train, validation, test) = data(design)
    var options = Self.options()
    options.precision = precision
    let model = try FogTraining.run(
      design, train: train, validation: validation, options: options)
    #expect(try accuracy(model, test) > 0.9)
    #expect(model.history.validationAccuracy > 0.9)
  }

  @Test func `a network with convolutions learns`() throws {
    var topology = FogTopology.images
    // Where a pattern lies tells the classes apart, so the cloud must not average over places.
    topology.nodes[3].layers = [.dense(16), .dense(2, activation: .none)]
    let design = try FogDesign(topology)
    let (train, validation, test) = data(design)
    let model = try FogTraining.run(
      design, train: train, validation: validation, options: Self.options())
    #expect(try accuracy(model, test) > 0.9)
  }

  @Test func `failout helps when a node is lost`() throws {
    let design = try FogDesign(.small)
    let (train, validation, test) = data(design)
    var options = Self.options()
    options.epochs = 60
    options.failout = .init(survival: 0.7, design: design)
    let model = try FogTraining.run(
      design, train: train, validation: validation, options: options)
    let settings = [FogTopology.Setting(name: "bad", survival: ["e1": 0.6, "e2": 0.6, "f1": 0.6])]
    options.failout = nil
    let plain = try FogTraining.run(
      design, train: train, validation: validation, options: options)
    let with = try FogResiliency(model, data: test, settings: settings).averages[0].accuracy
    let without = try FogResiliency(plain, data: test, settings: settings).averages[0].accuracy
    #expect(with > without)
    #expect(model.history.failout == "0.7")
  }

  @Test func `the same seed gives the same weights, another one others`() throws {
    let design = try FogDesign(.small)
    let (train, validation, _) = data(design)
    var options = Self.options()
    options.epochs = 5
    options.failout = .init(setting: FogTopology.small.settings[0], design: design)
    let first = try FogTraining.run(design, train: train, validation: validation, options: options)
    let second = try FogTraining.run(design, train: train, validation: validation, options: options)
    #expect(first.weights == second.weights)
    options.seed = 2
    let third = try FogTraining.run(design, train: train, validation: validation, options: options)
    #expect(first.weights != third.weights)
  }

  @Test(arguments: FogTrainingOptions.Precision.allCases) func `an interrupted run goes on`(
    precision: FogTrainingOptions.Precision
  ) throws {
    let design = try FogDesign(.small)
    let (train, validation, _) = data(design)
    var options = Self.options()
    options.epochs = 8
    options.precision = precision
    options.failout = .init(survival: 0.8, design: design)
    let whole = try FogTraining.run(design, train: train, validation: validation, options: options)
    try TemporaryFolder.with(prefix: "martlet-test") { folder in
      let checkpoint = FogTraining.Checkpoint(path: folder + "/checkpoint", interval: .zero)
      let error = #expect(throws: MartletError.self) {
        try FogTraining.run(
          design, train: train, validation: validation, options: options, checkpoint: checkpoint
        ) { progress throws(MartletError) in
          if progress.epoch == 5, progress.step == 3 { throw MartletError(.cancelled, "stopped") }
        }
      }
      #expect(error?.code == .cancelled)
      var epochs: Set<Int> = []
      let rest = try FogTraining.run(
        design, train: train, validation: validation, options: options, checkpoint: checkpoint
      ) { progress throws(MartletError) in epochs.insert(progress.epoch) }
      #expect(epochs == [5, 6, 7, 8])
      #expect(rest.weights == whole.weights)
      #expect(rest.history == whole.history)
      // Another run's checkpoint is refused.
      options.rate = 1e-4
      let refused = #expect(throws: MartletError.self) {
        try FogTraining.run(
          design, train: train, validation: validation, options: options, checkpoint: checkpoint)
      }
      #expect(refused?.code == .mismatch)
    }
  }

  @Test func `a model file comes back as it was`() throws {
    let design = try FogDesign(.small)
    let (train, validation, _) = data(design)
    var options = Self.options()
    options.epochs = 2
    let model = try FogTraining.run(
      design, train: train, validation: validation, labels: ["x", "y", "z"], options: options)
    try TemporaryFolder.with(prefix: "martlet-test") { folder in
      let path = folder + "/model.fog"
      try model.write(to: path)
      let again = try FogModel(reading: path)
      #expect(again.weights == model.weights)
      #expect(again.design == model.design)
      #expect(again.frequencies == model.frequencies)
      #expect(again.labels == ["x", "y", "z"])
      #expect(again.history == model.history)
      var bytes = try FileSystem.read(path)
      bytes.removeLast(9)
      try FileSystem.write(bytes, to: path)
      #expect(throws: MartletError.self) { try FogModel(reading: path) }
    }
  }

  @Test func `double precision is for dense layers`() throws {
    let design = try FogDesign(.images)
    var options = Self.options()
    options.precision = .double
    let (train, validation, _) = data(design)
    let error = #expect(throws: MartletError.self) {
      try FogTraining.run(design, train: train, validation: validation, options: options)
    }
    #expect(error?.code == .unsupported)
  }
}
