package import Foundations

/// The paper's measure: accuracy averaged over failure combinations by their probability (equation
/// 3), where nothing reaches the cloud that of a guess.
package struct FogResiliency: Sendable {
  /// One failure combination.
  package struct Combination: Sendable {
    /// The nodes that have failed.
    package var failed: [String]
    /// Accuracy on the samples; that of a guess where the answer is null.
    package var accuracy: Double
    /// Whether nothing reaches the cloud.
    package var isNull: Bool
  }

  /// The outcome under one reliability setting.
  package struct Average: Sendable {
    /// The setting's name.
    package var setting: String
    /// Average accuracy.
    package var accuracy: Double
    /// Half the width of its 95 % confidence interval; nil when all combinations were looked at.
    package var margin: Double?
    /// The probability that nothing reaches the cloud.
    package var noInformation: Double
    /// The probability of each of `FogResiliency.combinations`, or, when sampled, its share of the
    /// draws.
    package var probabilities: [Double]
    /// The sum of `probabilities`.
    package var total: Double { probabilities.reduce(0, +) }
  }

  /// How combinations are chosen.
  package enum Choice: Sendable, Hashable {
    /// All of them.
    case all
    /// So many draws for each setting.
    case sample(Int, seed: Int)
  }

  /// The most nodes that may fail for all combinations to be looked at.
  package static let maximumExhaustive = 20

  /// Samples that were classified.
  package let samples: Int
  /// Accuracy with nobody missing.
  package let plainAccuracy: Double
  /// The expected accuracy of a guess by training frequencies.
  package let guessAccuracy: Double
  /// The combinations that were looked at, everybody there first.
  package let combinations: [Combination]
  /// By setting, in the topology's order.
  package let averages: [Average]
  /// Runs of units for each batch, and what they would be if nothing were shared.
  package let runs: (shared: Int, unshared: Int)

  /// Classifies all samples under all combinations, or under those that are drawn.
  ///
  /// - Parameter progress: called with the samples that are done; may throw to stop.
  /// - Throws: `invalidArgument` when all combinations are wanted of too many nodes; what `progress`
  ///   throws.
  package init(
    _ model: FogModel, data: FogData, settings: [FogTopology.Setting], choice: Choice = .all,
    progress: (Int) throws(MartletError) -> Void = { _ in }
  ) throws(MartletError) {
    let design = model.design
    let everybody = FailureCombination(
      alive: [Bool](repeating: true, count: design.topology.nodes.count))
    var chosen: [FailureCombination]
    var weights: [[Double]] = []
    switch choice {
    case .all:
      guard design.fallible.count <= Self.maximumExhaustive else {
        throw MartletError(
          .invalidArgument, "too many nodes may fail to look at all combinations",
          context: ["nodes": "\(design.fallible.count)", "limit": "\(Self.maximumExhaustive)"],
          hint: "draw combinations instead")
      }
      chosen = FailureCombination.all(
        nodes: design.topology.nodes.count, fallible: design.fallible)
      weights = settings.map { setting in
        let survival = design.survival(setting)
        return chosen.map { $0.probability(survival) }
      }
    case .sample(let draws, let seed):
      (chosen, weights) = Self.draw(
        draws, seed: seed, settings: settings, design: design, everybody: everybody)
    }
    var evaluator = try FogEvaluator(model, chosen)
    let answers = try evaluator.answers(data, progress: progress)
    let nulls = evaluator.nulls
    let guess = model.guessAccuracy(on: data)
    let accuracies = zip(answers, nulls).map { classes, isNull in
      isNull
        ? guess
        : Double(zip(classes, data.labels).count { $0 == $1 }) / Double(max(data.count, 1))
    }
    samples = data.count
    plainAccuracy = accuracies[0]
    guessAccuracy = guess
    combinations = chosen.indices.map { index in
      Combination(
        failed: zip(design.topology.nodes, chosen[index].alive).filter { !$0.1 }.map(\.0.name),
        accuracy: accuracies[index], isNull: nulls[index])
    }
    averages = zip(settings, weights).map { setting, weights in
      let mean = zip(weights, accuracies).reduce(0) { $0 + $1.0 * $1.1 }
      var margin: Double?
      if case .sample(let draws, _) = choice {
        let variance = zip(weights, accuracies).reduce(0) {
          $0 + $1.0 * ($1.1 - mean) * ($1.1 - mean)
        }
        margin = 1.96 * (variance / Double(max(draws - 1, 1))).squareRoot()
      }
      return Average(
        setting: setting.name, accuracy: mean, margin: margin,
        noInformation: zip(weights, nulls).reduce(0) { $0 + ($1.1 ? $1.0 : 0) },
        probabilities: weights)
    }
    runs = (
      evaluator.runs,
      chosen.reduce(0) { $0 + design.flow(alive: $1.alive).count { $0 } }
    )
  }

  /// Draws for each setting; each distinct combination once, with its share of the draws.
  private static func draw(
    _ draws: Int, seed: Int, settings: [FogTopology.Setting], design: FogDesign,
    everybody: FailureCombination
  ) -> ([FailureCombination], [[Double]]) {
    var chosen = [everybody]
    var numbers = [everybody: 0]
    let shares = settings.enumerated().map { index, setting in
      var generator = SeededGenerator(stream: index, of: seed)
      var counts: [Int: Int] = [:]
      for combination in FailureCombination.sample(
        draws, survival: design.survival(setting), using: &generator)
      {
        let number = numbers[combination, default: chosen.count]
        if number == chosen.count {
          numbers[combination] = number
          chosen.append(combination)
        }
        counts[number, default: 0] += 1
      }
      return counts
    }
    return (
      chosen,
      shares.map { counts in
        chosen.indices.map { Double(counts[$0] ?? 0) / Double(max(draws, 1)) }
      }
    )
  }
}
