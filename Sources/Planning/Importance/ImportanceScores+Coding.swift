import Foundations

extension ImportanceScores: Codable {
  /// What the file says it is.
  static let format = "martlet-scores"
  /// The version of the format.
  static let version = 1

  private enum CodingKeys: String, CodingKey {
    case format, version, model, layers
    case s2Calibration = "s2_calibration"
    case s3Calibration = "s3_calibration"
  }

  /// Decodes and checks.
  ///
  /// - Throws: `MartletError.Code.invalidFile` or `.mismatch` for anything but scores of this
  ///   version, with as many values as there are neurons.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    guard try container.decodeIfPresent(String.self, forKey: .format) == Self.format else {
      throw MartletError(.invalidFile, "these are not scores of martlet")
    }
    let version = try container.decode(Int.self, forKey: .version)
    guard version == Self.version else {
      throw MartletError(
        .mismatch, "the scores have version \(version), this martlet reads \(Self.version)",
        hint: "run martlet score again")
    }
    self.init(
      model: try container.decode(String.self, forKey: .model),
      s2Calibration: try container.decodeIfPresent(Calibration.self, forKey: .s2Calibration),
      s3Calibration: try container.decodeIfPresent(Calibration.self, forKey: .s3Calibration),
      layers: try container.decode([Layer].self, forKey: .layers))
    for layer in layers
    where layer.s1.isEmpty || layer.s2.map({ $0.count != layer.s1.count }) ?? false
      || layer.s3.map({ $0.count > layer.s1.count }) ?? false
    {
      throw MartletError(
        .invalidFile, "a layer's scores do not have one value per neuron",
        context: ["layer": layer.name])
    }
  }

  /// Encodes with the format's name and version.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(Self.format, forKey: .format)
    try container.encode(Self.version, forKey: .version)
    try container.encode(model, forKey: .model)
    try container.encodeIfPresent(s2Calibration, forKey: .s2Calibration)
    try container.encodeIfPresent(s3Calibration, forKey: .s3Calibration)
    try container.encode(layers, forKey: .layers)
  }
}
