package import Foundations
import Tensors

/// The one threshold for all layers with which clustered placement meets a target.
///
/// The cost of a threshold follows from the sizes of the groups alone: a group is padded to a
/// multiple of the number of devices, and every device gets equally much of it. It falls from full
/// replication at 0 to the least possible at infinity, but not steadily: larger groups may need more
/// padding. The search halves the interval a fixed number of times, keeping a threshold that meets
/// the target at its upper end, and returns that end: the smallest threshold found, not the smallest
/// that exists.
package struct ThresholdSearch: Sendable {
  /// What is asked for.
  package enum Target: Sendable, Hashable {
    /// At most this many copies of the model, mean over layers weighted as said.
    case copies(Double, PlacementCost.Counting = .weights)
    /// At most this many bytes of weights on any device, as float32.
    case memory(Int)
  }

  /// What was found.
  package struct Result: Sendable, Hashable {
    /// For every layer; 0 if full replication meets the target.
    package var threshold: Double
    /// Copies of the model that it gives, by weights.
    package var copies: Double
    /// Copies of the model that it gives, by neurons.
    package var neuronCopies: Double
    /// Bytes of weights of every device.
    package var bytes: Int
    /// Clusterings of the whole model that the search took.
    package var clusterings: Int
  }

  private let layers: [ScoredLayer]
  private let devices: Int
  private let common: Int

  /// Prepares a search.
  ///
  /// - Parameter common: elements that every device holds whatever the threshold.
  package init(_ layers: [ScoredLayer], devices: Int, common: Int = 0) {
    self.layers = layers
    self.devices = devices
    self.common = common
  }

  /// Searches with at most `steps` halvings of the interval, each of which clusters every layer once.
  ///
  /// - Throws: `invalidArgument` with the least possible if the target is below it.
  package func find(_ target: Target, steps: Int = 40) throws(MartletError) -> Result {
    var best = result(.infinity, clusterings: 1)
    guard meets(best, target) else { throw impossible(target, least: best) }
    let replicated = result(0, clusterings: 1)
    if meets(replicated, target) { return replicated }
    var low = 0.0
    var high = layers.map { Clustering.ceiling($0.points) }.max() ?? 0
    best.threshold = high
    for step in 1...max(1, steps) {
      let middle = low + (high - low) / 2
      guard middle > low, middle < high else { break }
      let tried = result(middle, clusterings: step + 2)
      if meets(tried, target) {
        (high, best) = (middle, tried)
      } else {
        low = middle
        best.clusterings = tried.clusterings
      }
    }
    return best
  }

  /// What a threshold costs.
  func result(_ threshold: Double, clusterings: Int) -> Result {
    var (weights, allWeights, neurons, allNeurons) = (common * devices, common, 0, 0)
    for layer in layers {
      let held = Clustering.groups(layer.points, threshold: threshold).reduce(0) {
        $0 + ($1.count + devices - 1) / devices * devices
      }
      neurons += held
      weights += held * layer.traits.weights
      allNeurons += layer.traits.neurons
      allWeights += layer.traits.neurons * layer.traits.weights
    }
    return Result(
      threshold: threshold, copies: Double(weights) / Double(max(1, allWeights)),
      neuronCopies: Double(neurons) / Double(max(1, allNeurons)),
      bytes: weights / devices * ElementType.float32.size, clusterings: clusterings)
  }

  private func meets(_ result: Result, _ target: Target) -> Bool {
    switch target {
    case .copies(let most, .weights): result.copies <= most
    case .copies(let most, .neurons): result.neuronCopies <= most
    case .memory(let most): result.bytes <= most
    }
  }

  private func impossible(_ target: Target, least: Result) -> MartletError {
    switch target {
    case .copies(let most, let counting):
      let minimum = counting == .weights ? least.copies : least.neuronCopies
      return MartletError(
        .invalidArgument, "\(most) copies are fewer than the layers need",
        context: ["minimum": "\(minimum)", "devices": "\(devices)"],
        hint: "ask for at least \(minimum) copies")
    case .memory(let most):
      return MartletError(
        .invalidArgument, "\(most) bytes of weights on a device are too few for the model",
        context: ["minimum": "\(least.bytes)", "devices": "\(devices)"],
        hint: "ask for at least \(least.bytes) bytes, or add devices")
    }
  }
}
