package import FogNetwork
import Foundations

/// How a network is trained.
package struct FogTrainingOptions: Sendable, Hashable, Codable {
  /// Whole nodes dropped while training (ResiliNet's failout): one draw for each node and batch,
  /// nothing is rescaled, and a batch of which nothing reaches the cloud is skipped.
  package struct Failout: Sendable, Hashable, Codable {
    /// What it goes by, for people.
    package var name: String
    /// The probability to be there, by node; 1 for the cloud.
    package var survival: [Double]

    /// Every node but the cloud survives with the same probability.
    package init(survival: Double, design: FogDesign) {
      name = "\(survival)"
      self.survival = design.topology.nodes.indices.map { $0 == design.cloud ? 1 : survival }
    }

    /// Nodes survive as in a reliability setting.
    package init(setting: FogTopology.Setting, design: FogDesign) {
      name = setting.name
      survival = design.survival(setting)
    }
  }

  /// Floating-point numbers that are computed with.
  package enum Precision: String, Sendable, Hashable, Codable, CaseIterable {
    /// float32.
    case single
    /// float64, for dense layers: to check with.
    case double
  }

  /// How weights start; biases start at zero.
  package enum Start: String, Sendable, Hashable, Codable, CaseIterable {
    /// Uniform within sqrt(6 / (inputs + outputs)) (Glorot and Bengio 2010), as in Keras.
    case glorot
    /// Uniform within sqrt(6 / inputs) (He et al. 2015), for deep chains of ReLU.
    case he
  }

  /// Passes over the training samples.
  package var epochs = 50
  /// Samples of one step; the last one of an epoch may have fewer.
  package var batch = 1024
  /// Adam's step size.
  package var rate = 1e-3
  /// Of weights, order and failures.
  package var seed = 1
  /// Whether the loss of a class is weighted by samples / (classes * its samples).
  package var isClassWeighted = false
  /// Nodes dropped, if any.
  package var failout: Failout?
  /// See `Precision`.
  package var precision = Precision.single
  /// See `Start`.
  package var start = Start.glorot

  /// The defaults.
  package init() {}

  /// - Throws: `invalidArgument` for numbers that make no sense.
  func check() throws(MartletError) {
    guard (1...1_000_000).contains(epochs), (1...1_000_000).contains(batch), rate > 0,
      rate.isFinite,
      failout?.survival.allSatisfy({ (0...1).contains($0) }) ?? true
    else {
      throw MartletError(
        .invalidArgument,
        "epochs and batch must be 1 to 1000000, the rate positive, probabilities from 0 to 1",
        context: ["epochs": "\(epochs)", "batch": "\(batch)", "rate": "\(rate)"])
    }
  }
}

/// Where training is.
package struct FogTrainingProgress: Sendable {
  /// From 1.
  package var epoch: Int
  /// Of all epochs.
  package var epochs: Int
  /// Steps of this epoch that are done.
  package var step: Int
  /// Steps of an epoch.
  package var steps: Int
  /// The mean loss of this epoch so far.
  package var loss: Double
  /// The accuracy on this epoch's samples so far, nodes dropped as they were.
  package var accuracy: Double
  /// The accuracy on the validation samples after the epoch; nil before its end.
  package var validationAccuracy: Double?
  /// The best of those so far.
  package var bestAccuracy: Double?
}
