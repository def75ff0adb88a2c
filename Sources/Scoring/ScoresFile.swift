import JSONCoding
public import Partitioning
public import TensorCore
import TensorFiles

/// `scores.json`: importance scores on disk.
public enum ScoresFile {
  /// Reads scores.
  ///
  /// - Throws: `notFound`, `invalidFile` or `mismatch`, naming the file.
  public static func read(_ path: String) throws(MartletError) -> ImportanceScores {
    try JSON.decode(
      ImportanceScores.self, from: try FileSystem.read(path, limit: 256 << 20), source: path,
      limits: JSON.Limits(bytes: 256 << 20, depth: 16))
  }

  /// Writes scores, whole or not at all.
  public static func write(_ scores: ImportanceScores, to path: String) throws(MartletError) {
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
  /// - Throws: `mismatch` saying what differs: the model, or the images.
  public func requireFit(
    _ fresh: ImportanceScores, s2: CalibrationImages?, s3: CalibrationImages?
  ) throws(MartletError) {
    guard model == fresh.model, layers.map(\.name) == fresh.layers.map(\.name),
      layers.map(\.s1.count) == fresh.layers.map(\.s1.count)
    else {
      throw MartletError(
        .mismatch, "the scores are of another model",
        context: ["scores": String(model.prefix(12)), "model": String(fresh.model.prefix(12))],
        hint: "give another file for this model's scores")
    }
    for (score, own, images) in [(Score.s2, s2Calibration, s2), (.s3, s3Calibration, s3)] {
      guard let own, let images else { continue }
      guard own == .init(images: images.count, sha256: images.sha256) else {
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
