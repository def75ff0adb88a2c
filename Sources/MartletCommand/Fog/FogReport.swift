import Charts
import FogNetwork
import Foundations
import Tables

/// What `martlet fog evaluate` found, for scripts and people.
struct FogReport: Encodable {
  struct Average: Encodable {
    var setting: String
    var accuracy: Double
    var margin: Double?
    var noInformation: Double
    var totalProbability: Double

    private enum CodingKeys: String, CodingKey {
      case setting, accuracy, margin
      case noInformation = "no_information"
      case totalProbability = "total_probability"
    }
  }

  struct Combination: Encodable {
    var failed: [String]
    var accuracy: Double
    var isNull: Bool
    /// By setting.
    var probabilities: [Double]

    private enum CodingKeys: String, CodingKey {
      case failed, accuracy, probabilities
      case isNull = "no_information"
    }
  }

  struct Model: Encodable {
    var file: String
    var seed: Int
    var epoch: Int
    var failout: String?
    var samples: Int
    var plainAccuracy: Double
    var guessAccuracy: Double
    var averages: [Average]
    var combinations: [Combination]
    var unitRuns: Int
    var unitRunsUnshared: Int

    private enum CodingKeys: String, CodingKey {
      case file, seed, epoch, failout, samples, averages, combinations
      case plainAccuracy = "plain_accuracy"
      case guessAccuracy = "guess_accuracy"
      case unitRuns = "unit_runs"
      case unitRunsUnshared = "unit_runs_unshared"
    }

    init(file: String, model: FogModel, result: FogResiliency) {
      self.file = file
      seed = model.history.seed
      epoch = model.history.epoch
      failout = model.history.failout
      samples = result.samples
      plainAccuracy = result.plainAccuracy
      guessAccuracy = result.guessAccuracy
      averages = result.averages.map {
        Average(
          setting: $0.setting, accuracy: $0.accuracy, margin: $0.margin,
          noInformation: $0.noInformation, totalProbability: $0.total)
      }
      combinations = result.combinations.indices.map { index in
        Combination(
          failed: result.combinations[index].failed,
          accuracy: result.combinations[index].accuracy,
          isNull: result.combinations[index].isNull,
          probabilities: result.averages.map { $0.probabilities[index] })
      }
      (unitRuns, unitRunsUnshared) = result.runs
    }
  }

  struct Series: Encodable {
    struct Summary: Encodable {
      var setting: String
      var mean: Double
      /// Of the sample, over the networks; 0 for one.
      var deviation: Double
    }

    var label: String
    var summary: [Summary]
    var models: [Model]

    init(label: String, models: [Model]) {
      self.label = label
      self.models = models
      summary = [Series.summary("no failure", models.map(\.plainAccuracy))]
      for (index, average) in (models.first?.averages ?? []).enumerated() {
        summary.append(
          Series.summary(average.setting, models.map { $0.averages[index].accuracy }))
      }
    }

    private static func summary(_ setting: String, _ values: [Double]) -> Summary {
      let mean = values.reduce(0, +) / Double(max(values.count, 1))
      let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      return Summary(
        setting: setting, mean: mean,
        deviation: (squares / Double(max(values.count - 1, 1))).squareRoot())
    }
  }

  var data: String
  var split: String
  var series: [Series]

  /// - Throws: `mismatch` for networks with different settings.
  init(data: String, split: String, series: [Series]) throws(MartletError) {
    let names = series.flatMap(\.models).map { $0.averages.map(\.setting) }
    guard let first = names.first else {
      throw MartletError(.invalidArgument, "a series names no network")
    }
    guard names.allSatisfy({ $0 == first }) else {
      throw MartletError(
        .mismatch, "the networks have different reliability settings",
        hint: "name the common ones with --settings")
    }
    self.data = data
    self.split = split
    self.series = series
  }

  // MARK: For people

  /// - Parameter all: whether to list every combination.
  func text(all: Bool) -> String {
    let models = series.flatMap(\.models)
    let settings = series[0].summary.map(\.setting)
    var lines = [
      "\(models[0].samples) \(split) samples of \(data); a guess: "
        + "\(percent(models[0].guessAccuracy)) %", "",
    ]
    let hasDeviation = series.contains { $0.models.count > 1 }
    var table = TextTable(["average accuracy %"] + settings)
    for one in series {
      table.add(
        [one.label]
          + one.summary.map {
            percent($0.mean) + (hasDeviation ? " +- " + percent($0.deviation) : "")
          })
    }
    lines.append(table.text)
    if models.contains(where: { $0.averages.contains { $0.margin != nil } }) {
      lines.append("drawn combinations; half widths of the 95 % confidence intervals:")
      for model in models {
        lines.append(
          "  \(model.file): "
            + model.averages.map { "\($0.setting) \(percent($0.margin ?? 0))" }
            .joined(separator: ", "))
      }
    }
    var none = TextTable(["no information %"] + settings.dropFirst())
    for one in series {
      none.add([one.label] + one.models[0].averages.map { ($0.noInformation * 100).formatted(3) })
    }
    if settings.count > 1 { lines += ["", none.text] }
    lines += ["", combinations(of: settings, all: all)]
    return lines.joined(separator: "\n")
  }

  /// How many combinations are listed unless all are wanted.
  private static let listed = 16

  private func combinations(of settings: [String], all: Bool) -> String {
    let model = series[0].models[0]
    let last = settings.count - 2
    var order = Array(model.combinations.indices)
    if last >= 0 {
      order.sort {
        model.combinations[$0].probabilities[last] > model.combinations[$1].probabilities[last]
      }
    }
    var table = TextTable(
      ["failed"] + settings.dropFirst().map { "p \($0)" } + series.map { "\($0.label) %" })
    let shown = all ? order[...] : order.prefix(Self.listed)
    for index in shown {
      let combination = model.combinations[index]
      let failed =
        combination.failed.isEmpty ? "nobody" : combination.failed.joined(separator: " ")
      table.add(
        [failed] + combination.probabilities.map { $0.formatted(6) }
          + series.map { cell($0, combination.failed) })
    }
    let left = order.count - shown.count
    return table.text + (left > 0 ? "\n\(left) less probable ones: --all or --json lists them" : "")
  }

  /// The mean over a series' networks; a star where nothing arrives.
  private func cell(_ series: Series, _ failed: [String]) -> String {
    let found = series.models.compactMap { model in
      model.combinations.first { $0.failed == failed }
    }
    guard !found.isEmpty else { return "-" }
    let mean = found.reduce(0) { $0 + $1.accuracy } / Double(found.count)
    return percent(mean) + (found[0].isNull ? "*" : " ")
  }

  private func percent(_ share: Double) -> String { (share * 100).formatted(2) }

  /// The paper's Figure 3: average accuracy by setting, whiskers one deviation over seeds.
  var chart: BarChart {
    let settings = series[0].summary.map(\.setting)
    let count = series.map(\.models.count).max() ?? 1
    return BarChart(
      title: "Average accuracy by reliability setting",
      description: "Accuracy averaged over all failure combinations by their probability"
        + (count > 1 ? "; means and standard deviations over \(count) seeds." : "."),
      valueLabel: "average accuracy (%)", groups: settings,
      series: series.map { one in
        BarChart.Series(
          name: one.label,
          bars: one.summary.map { summary in
            let (mean, deviation) = (summary.mean * 100, summary.deviation * 100)
            return one.models.count > 1
              ? BarChart.Bar(mean, low: max(mean - deviation, 0), high: mean + deviation)
              : BarChart.Bar(mean)
          })
      },
      references: [
        BarChart.Reference(name: "guess", value: series[0].models[0].guessAccuracy * 100)
      ])
  }
}
