package import Foundations

/// Thresholds by layer, for one model.
///
/// In JSON `{"model_sha256": "…", "thresholds": {"conv1": 0.2, "fc": "inf"}}`. A number is needed for
/// every layer unless there is a `default`.
package struct ThresholdFile: Sendable, Hashable, Codable {
  /// The model file that the layers belong to, in hexadecimal.
  package var modelSHA256: String
  /// By layer id.
  package var thresholds: [String: Threshold]
  /// For layers that are not named.
  package var otherwise: Threshold?

  private enum CodingKeys: String, CodingKey {
    case modelSHA256 = "model_sha256"
    case thresholds
    case otherwise = "default"
  }

  /// A distance that JSON can hold, infinity written as `"inf"`.
  package struct Threshold: Sendable, Hashable, Codable {
    /// Zero or more.
    package var value: Double

    /// Wraps a distance.
    package init(_ value: Double) { self.value = value }

    /// Reads a number or `"inf"`.
    package init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let text = try? container.decode(String.self) {
        guard text == "inf" else {
          throw DecodingError.dataCorruptedError(
            in: container, debugDescription: "a threshold is a number or \"inf\"")
        }
        value = .infinity
      } else {
        value = try container.decode(Double.self)
      }
    }

    /// Writes a number or `"inf"`.
    package func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      if value == .infinity { try container.encode("inf") } else { try container.encode(value) }
    }
  }

  /// Makes a file's contents.
  package init(modelSHA256: String, thresholds: [String: Double], otherwise: Double? = nil) {
    self.modelSHA256 = modelSHA256
    self.thresholds = thresholds.mapValues(Threshold.init)
    self.otherwise = otherwise.map(Threshold.init)
  }

  /// The threshold of each layer.
  ///
  /// - Parameters:
  ///   - layers: ids, in order.
  ///   - modelSHA256: of the model at hand.
  /// - Throws: `mismatch` if the file is for another model or names other layers; `invalidArgument`
  ///   for a threshold that is negative or not a number.
  package func resolved(layers: [String], modelSHA256: String) throws(MartletError) -> [Double] {
    guard modelSHA256 == self.modelSHA256 else {
      throw MartletError(
        .mismatch, "the thresholds are for another model",
        context: ["thresholds": self.modelSHA256, "model": modelSHA256])
    }
    let strangers = Set(thresholds.keys).subtracting(layers).sorted()
    if let stranger = strangers.first {
      throw MartletError(
        .mismatch, "the thresholds name a layer that the model does not have",
        context: ["layer": stranger], hint: "it has " + layers.joined(separator: ", "))
    }
    var result: [Double] = []
    for layer in layers {
      guard let threshold = thresholds[layer] ?? otherwise else {
        throw MartletError(
          .mismatch, "there is no threshold for a layer", context: ["layer": layer],
          hint: "name it, or give a \"default\"")
      }
      try ThresholdFile.check(threshold.value, layer: layer)
      result.append(threshold.value)
    }
    return result
  }

  static func check(_ threshold: Double, layer: String) throws(MartletError) {
    guard threshold >= 0 else {
      throw MartletError(
        .invalidArgument, "a threshold must be a distance, zero or more",
        context: ["layer": layer, "threshold": "\(threshold)"])
    }
  }
}
