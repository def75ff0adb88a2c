import Plan
import Resilience

/// Answers counted by leaf. Whole numbers only: the order in which batches end is chance.
struct StudyTally {
  /// Confidence 1.
  static let unit = Double(1 << 32)

  /// Images whose best class is the right one.
  var correct: [Int]
  /// Images whose right class is among the best five.
  var correctTop5: [Int]
  /// The sum of confidences, in `unit`s.
  var confidence: [Int]
  /// Each image and its label.
  var digests: [String]
  /// By leaf and image; empty unless they are kept.
  var predictions: [[FailureStudy.Prediction]]
  /// Whether there is an answer and not null, by leaf: that does not depend on the image.
  var answered: [Bool]
  /// Images that are done.
  var done = 0

  /// Nothing counted yet.
  init(leaves: Int, images: Int, keepsPredictions: Bool) {
    correct = Array(repeating: 0, count: leaves)
    correctTop5 = correct
    confidence = correct
    answered = Array(repeating: false, count: leaves)
    digests = Array(repeating: "", count: images)
    predictions =
      keepsPredictions
      ? Array(
        repeating: Array(repeating: .init(label: 0, confidence: 0), count: images), count: leaves)
      : []
  }

  /// Adds what some images came to.
  ///
  /// - Parameters:
  ///   - answers: by leaf, then image; none of a leaf whose output is null.
  ///   - new: identify the images.
  mutating func add(_ answers: [[Ranking]], images: Range<Int>, digests new: [String]) {
    digests.replaceSubrange(images, with: new)
    done += images.count
    for (leaf, rankings) in answers.enumerated() {
      if !rankings.isEmpty { answered[leaf] = true }
      for (image, ranking) in zip(images, rankings) {
        if ranking.rankOfTruth == 0 { correct[leaf] += 1 }
        if ranking.rankOfTruth < 5 { correctTop5[leaf] += 1 }
        confidence[leaf] += Int((ranking.confidence * StudyTally.unit).rounded())
        guard !predictions.isEmpty else { continue }
        predictions[leaf][image] = .init(
          label: Int32(ranking.label), confidence: Float(ranking.confidence))
      }
    }
  }

  /// What a table says of a leaf; of one without answers, what guessing comes to.
  func row(
    _ leaf: Int, failed: [Int], lostNeurons: Int, labels: [Int], guess: ClassGuess
  ) -> FailureTable.Row {
    guard answered[leaf] else {
      let right = Int(guess.expectedCorrect(of: labels).rounded())
      return FailureTable.Row(
        failed: failed, correct: right, correctTop5: right,
        confidence: guess.frequencies.reduce(0) { $0 + $1 * $1 }, lostNeurons: lostNeurons,
        isGuess: true)
    }
    return FailureTable.Row(
      failed: failed, correct: correct[leaf], correctTop5: correctTop5[leaf],
      confidence: min(
        Double(confidence[leaf]) / StudyTally.unit / Double(labels.count), 1),
      lostNeurons: lostNeurons)
  }
}
