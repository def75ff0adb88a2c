import ArgumentParser
import Charts
import FogNetwork
import Foundations
import Processes
import TensorFiles

/// `martlet fog evaluate`: how resilient trained networks are.
struct FogEvaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Says how accurate trained networks are when nodes fail.",
    discussion: """
      For every combination of failed nodes (the cloud never fails): accuracy on the test samples and
      probability, and from these the average accuracy (deepFogGuard, equation 3) under each
      reliability setting of the topology. Where nothing reaches the cloud the answer is a guess by
      the training classes' frequencies. With more than 20 nodes that may fail, combinations are
      drawn instead, and a 95 % confidence interval is given.

      Several networks are compared side by side. LABEL=FILE,FILE,... is one series of networks that
      were trained with different seeds: its mean and standard deviation are given. {seed} in --data
      stands for the seed of each network, for splits of their own.

      Examples:
        martlet fog evaluate model.fog --data data/
        martlet fog evaluate model.fog --data data/ --settings normal,hazardous --json
        martlet fog evaluate Vanilla=v1.fog,v2.fog deepFogGuard=d1.fog,d2.fog --data data/ --svg f.svg
      """)

  @Argument(help: "Trained networks, or LABEL=FILE,FILE,...", completion: .file())
  var models: [String]

  @Option(help: "The folder of samples and labels.", completion: .directory)
  var data: String

  @Option(help: "Which samples: test, validation or train.")
  var split = "test"

  @Option(help: "Reliability settings, by commas; all of the topology unless given.")
  var settings: String?

  @Option(help: "Draw so many combinations for each setting, instead of looking at all.")
  var draws: Int?

  @Option(help: "Seed of the drawn combinations.")
  var seed = 1

  @Flag(help: "Print every combination, not only the most probable ones.")
  var all = false

  @OptionGroup var overwrite: OverwriteOptions

  @Flag(help: "Print one JSON object.")
  var json = false

  @Option(help: "Draw average accuracy by setting.", completion: .file(extensions: ["svg"]))
  var svg: String?

  func validate() throws {
    guard !models.isEmpty else { throw ValidationError("name at least one network") }
    guard ["test", "validation", "train"].contains(split) else {
      throw ValidationError("--split must be test, validation or train")
    }
    guard draws.map((1...10_000_000).contains) ?? true else {
      throw ValidationError("--draws must be 1 to 10000000")
    }
  }

  func run() throws {
    try OutputFiles.check([svg], overwrite)
    let stopped = StopFlag()
    let signals = try TerminationSignals { stopped.set(signal: $0) }
    defer { signals.stop() }
    defer { Terminal.endProgress() }
    var series: [FogReport.Series] = []
    for argument in models {
      let (label, paths) = FogEvaluate.parse(argument)
      var results: [FogReport.Model] = []
      for path in paths {
        let model = try FogModel(reading: path)
        let folder = data.replacing("{seed}", with: "\(model.history.seed)")
        let samples = try FogData(folder: folder, split: split, design: model.design)
        let watch = ProgressWatch("\(FileSystem.name(of: path)): sample", total: samples.count)
        let result = try FogResiliency(
          model, data: samples, settings: try chosen(model.design), choice: choice(model.design)
        ) { done throws(MartletError) in
          try stopped.check()
          watch.show(done)
        }
        results.append(FogReport.Model(file: path, model: model, result: result))
      }
      series.append(FogReport.Series(label: label, models: results))
    }
    Terminal.endProgress()
    let report = try FogReport(data: data, split: split, series: series)
    if let svg { try FileSystem.write(Array(report.chart.svg.utf8), to: svg) }
    if json { try Terminal.printJSON(report) } else { try Terminal.print(report.text(all: all)) }
  }

  private static func parse(_ argument: String) -> (label: String, paths: [String]) {
    guard let equals = argument.firstIndex(of: "=") else {
      var name = FileSystem.name(of: argument)
      if let dot = name.lastIndex(of: "."), dot > name.startIndex { name = String(name[..<dot]) }
      return (name, [argument])
    }
    let paths = argument[argument.index(after: equals)...].split(separator: ",").map(String.init)
    return (String(argument[..<equals]), paths)
  }

  private func chosen(_ design: FogDesign) throws(MartletError) -> [FogTopology.Setting] {
    guard let settings else { return design.topology.settings }
    return try settings.split(separator: ",").map { name throws(MartletError) in
      try design.setting(String(name))
    }
  }

  /// How many combinations are drawn when there are too many to look at.
  private static let defaultDraws = 10_000

  private func choice(_ design: FogDesign) -> FogResiliency.Choice {
    if let draws { return .sample(draws, seed: seed) }
    return design.fallible.count > FogResiliency.maximumExhaustive
      ? .sample(Self.defaultDraws, seed: seed) : .all
  }
}
