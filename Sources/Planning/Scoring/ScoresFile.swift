package import Foundations
import JSONCoding
import TensorFiles

/// `scores.json`: importance scores on disk.
package enum ScoresFile {
  /// Reads scores.
  ///
  /// - Throws: `notFound`, `invalidFile` or `mismatch`, naming the file.
  package static func read(_ path: String) throws(MartletError) -> ImportanceScores {
    try JSON.decode(
      ImportanceScores.self, from: try FileSystem.read(path, limit: 256 << 20), source: path,
      limits: JSON.Limits(bytes: 256 << 20, depth: 16))
  }

  /// Writes scores, whole or not at all.
  package static func write(_ scores: ImportanceScores, to path: String) throws(MartletError) {
    try FileSystem.write(try JSON.encode(scores), to: path)
  }
}

extension ImportanceScores {
  /// Checks that scores can be reused or continued.
  ///
  /// - Parameters:
  ///   - fresh: scores of the model at hand, as `Scoring.start` makes them.
  ///   - s2: the images for s2; nil not to look.
  ///   - s3: the images for s3; nil not to look.
  ///   - choices: how scores are computed.
  /// - Throws: `mismatch` saying what differs: the model, the images or the choices.
  package func requireFit(
    _ fresh: ImportanceScores, s2: CalibrationImages?, s3: CalibrationImages?,
    choices: ScoringChoices = ScoringChoices()
  ) throws(MartletError) {
    guard model == fresh.model, layers.map(\.name) == fresh.layers.map(\.name),
      layers.map(\.s1.count) == fresh.layers.map(\.s1.count)
    else {
      throw MartletError(
        .mismatch, "the scores are of another model",
        context: ["scores": String(model.prefix(12)), "model": String(fresh.model.prefix(12))],
        hint: "give another file for this model's scores")
    }
    for (score, own, images, choice) in [
      (Score.s2, s2Calibration, s2, choices.s2Choice), (.s3, s3Calibration, s3, choices.s3Choice),
    ] {
      guard let own, let images else { continue }
      guard own.choice == choice else {
        throw MartletError(
          .mismatch, "the scores were computed in another way",
          context: [
            "score": score.rawValue, "scores": own.choice ?? "the usual way",
            "asked for": choice ?? "the usual way",
          ], hint: "give the same --s2-output and --s3-unit, or another file")
      }
      guard (own.images, own.sha256) == (images.count, images.sha256) else {
        throw MartletError(
          .mismatch, "the scores are from other calibration images",
          context: [
            "score": score.rawValue,
            "scores": "\(own.images) images \(own.sha256.prefix(12))",
            "given": "\(images.count) images \(images.sha256.prefix(12))",
          ], hint: "give the same images and numbers of images, or another file")
      }
    }
  }
}
