package import Foundations
import JSONCoding
import TensorFiles
package import Tensors

/// A trained network: its topology, its weights, and what a guess would go by.
///
/// On disk a safetensors file whose metadata `martlet_fog` is a JSON object.
package struct FogModel: Sendable {
  /// How a network came about, for people.
  package struct History: Sendable, Hashable, Codable {
    /// The seed of weights, order and failures.
    package var seed: Int
    /// The epoch, from 1, after which the weights were taken.
    package var epoch: Int
    /// The epochs that were trained.
    package var epochs: Int
    /// The accuracy on the validation samples, nobody missing.
    package var validationAccuracy: Double
    /// What nodes were dropped by, if any were.
    package var failout: String?

    private enum CodingKeys: String, CodingKey {
      case seed, epoch, epochs, failout
      case validationAccuracy = "validation_accuracy"
    }

    /// Makes a history.
    package init(
      seed: Int, epoch: Int, epochs: Int, validationAccuracy: Double, failout: String?
    ) {
      self.seed = seed
      self.epoch = epoch
      self.epochs = epochs
      self.validationAccuracy = validationAccuracy
      self.failout = failout
    }
  }

  private struct Document: Codable {
    var version: Int
    var topology: FogTopology
    var frequencies: [Double]
    var labels: [String]
    var history: History
  }

  /// The network.
  package let design: FogDesign
  /// Weights and biases by name; see `FogUnit.Layer`.
  package let weights: [String: Tensor]
  /// The share of each class among the training samples: what a guess is drawn from.
  package let frequencies: [Double]
  /// Class names; empty when unknown.
  package let labels: [String]
  /// How it was trained.
  package let history: History

  /// Makes a model.
  ///
  /// - Throws: `mismatch` for frequencies or labels of another number than there are classes, or
  ///   frequencies that are no probabilities; what `FogDesign.graph(of:batch:weights:)` throws for
  ///   weights that do not fit.
  package init(
    design: FogDesign, weights: [String: Tensor], frequencies: [Double], labels: [String],
    history: History
  ) throws(MartletError) {
    let classes = design.topology.classes
    guard frequencies.count == classes, labels.isEmpty || labels.count == classes,
      frequencies.allSatisfy({ (0...1).contains($0) }),
      abs(frequencies.reduce(0, +) - 1) < 1e-6
    else {
      throw MartletError(
        .mismatch, "a network's class frequencies or names do not fit its classes",
        context: ["classes": "\(classes)", "frequencies": "\(frequencies.count)"])
    }
    for unit in design.units {
      _ = try FogDesign.graph(of: unit, batch: 1, weights: weights)
    }
    self.design = design
    self.weights = weights
    self.frequencies = frequencies
    self.labels = labels
    self.history = history
  }

  private static let key = "martlet_fog"

  /// Reads a model file.
  ///
  /// - Throws: `invalidFile` for a file that is none; what `FogDesign.init` and `init` throw.
  package init(reading path: String) throws(MartletError) {
    let file = try SafetensorsFile(path)
    guard let text = file.header.metadata[FogModel.key] else {
      throw MartletError(
        .invalidFile, "this is not a network of martlet fog train", context: ["file": path])
    }
    let document = try JSON.decode(Document.self, from: text, source: path)
    guard document.version == 1 else {
      throw MartletError(
        .mismatch, "the network has version \(document.version), this martlet reads version 1",
        context: ["file": path])
    }
    do throws(MartletError) {
      var weights: [String: Tensor] = [:]
      for name in file.names { weights[name] = try file.tensor(name) }
      try self.init(
        design: FogDesign(document.topology), weights: weights,
        frequencies: document.frequencies, labels: document.labels, history: document.history)
    } catch {
      throw error.adding("file", path)
    }
  }

  /// Writes the model file, whole or not at all.
  package func write(to path: String) throws(MartletError) {
    let document = Document(
      version: 1, topology: design.topology, frequencies: frequencies, labels: labels,
      history: history)
    try SafetensorsFile.write(
      path, tensors: weights.sorted { $0.key < $1.key }.map { ($0.key, $0.value) },
      metadata: [(FogModel.key, try JSON.encodeString(document))])
  }

  /// The expected accuracy of a guess by training frequencies on samples of these classes.
  package func guessAccuracy(on data: FogData) -> Double {
    zip(frequencies, data.frequencies(classes: frequencies.count)).reduce(0) { $0 + $1.0 * $1.1 }
  }
}
