import Foundations
import Imaging
import JSONCoding
import ModelCards
import Planning
import Tables
import TensorFiles

/// Shows the progress of scoring, saves what there is every few seconds, and stops when asked to.
final class ScoringSession {
  private let output: String
  private let stopped: StopFlag
  private let clock = ContinuousClock()
  private var lastSaved: ContinuousClock.Instant
  private var lastShown: ContinuousClock.Instant?

  /// Writing the scores of a large network takes some tenths of a second.
  private static let savingInterval = Duration.seconds(5)

  init(output: String, stopped: StopFlag) {
    self.output = output
    self.stopped = stopped
    lastSaved = clock.now
  }

  func save(_ scores: ImportanceScores) throws(MartletError) {
    try ScoresFile.write(scores, to: output)
    lastSaved = clock.now
  }

  func observe(
    _ progress: ScoringProgress, _ scores: ImportanceScores
  ) throws(MartletError) {
    if stopped.signal != nil {
      try save(scores)
      throw MartletError(
        .cancelled, "stopped", context: ["file": output],
        hint: "the same command goes on from here")
    }
    if progress.score == .s3, clock.now - lastSaved > Self.savingInterval { try save(scores) }
    show(progress)
  }

  private func show(_ progress: ScoringProgress) {
    let now = clock.now
    let interval: Duration = Terminal.isInteractive ? .milliseconds(200) : .seconds(10)
    if let lastShown, now - lastShown < interval { return }
    lastShown = now
    var line = "\(progress.score.rawValue) \((progress.fraction * 100).formatted(1)) %"
    if let seconds = progress.secondsLeft { line += ", \(seconds.formatted(0)) s left" }
    if !progress.layer.isEmpty { line += "  \(progress.layer)" }
    if Terminal.isInteractive { Terminal.progress(line) } else { Terminal.printLine(line) }
  }
}

extension CalibrationImages {
  /// Some images of a set, prepared for a model. Their digest covers the files and the preparation.
  init(
    _ set: ImageSet, _ indices: [Int], _ preprocessing: Preprocessing
  ) throws(MartletError) {
    var text = try JSON.encodeString(preprocessing)
    for index in indices { text += "\n" + (try FileDigest.sha256(try set.bytes(index))) }
    self.init(count: indices.count, sha256: try FileDigest.sha256(Array(text.utf8))) {
      index throws(MartletError) in
      try preprocessing.apply(try set.load(indices[index]))
    }
  }
}
