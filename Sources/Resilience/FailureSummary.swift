// A failure table summed up: by number of failures, and by reliabilities.

package import Foundations

extension FailureTable {
  /// The accuracy with some number of devices failed, over which ones these are.
  package struct Summary: Sendable, Equatable {
    /// One end of the range.
    package struct Extreme: Sendable, Equatable {
      /// The devices that are gone.
      package var failed: [Int]
      /// The top-1 accuracy then.
      package var estimate: Estimate
    }

    /// How many devices failed.
    package var failures: Int
    /// How many failure sets of this size were studied.
    package var sets: Int
    /// Whether that is all of them.
    package var isComplete: Bool
    /// The mean over the sets. All sets saw the same images, so the interval is that of one set:
    /// more sets do not make the images more.
    package var average: Estimate
    /// The mean over the sets of the top-5 accuracy.
    package var averageTop5: Double
    /// The worst set; of equals the first.
    package var minimum: Extreme
    /// The best set. For contiguous filters this is the optimistic choice of the RobustDiCE paper, in
    /// which the least important devices fail.
    package var maximum: Extreme
    /// Neurons lost on average.
    package var lostNeurons: Double
  }

  /// Summaries by number of failures, ascending, from none.
  package var summaries: [Summary] { summaries(of: rows) }

  /// The same of the frame in which the devices die; empty where that was not studied.
  package var lossSummaries: [Summary] { summaries(of: atLoss?.rows ?? []) }

  private func summaries(of rows: [Row]) -> [Summary] {
    Dictionary(grouping: rows, by: \.failed.count).sorted { $0.key < $1.key }
      .compactMap { failures, rows in summary(failures, rows) }
  }

  private func summary(_ failures: Int, _ rows: [Row]) -> Summary? {
    guard let first = rows.first else { return nil }
    // `max(by:)` gives the last of equals.
    let worst = rows.reduce(first) { $1.correct < $0.correct ? $1 : $0 }
    let best = rows.reduce(first) { $1.correct > $0.correct ? $1 : $0 }
    let count = Double(rows.count)
    let answered = rows.reduce(0) { $0 + ($1.isGuess ? 0 : $1.correct) }
    let guessed = Double(rows.count { $0.isGuess }) * chance * Double(images)
    let correct = (Double(answered) + guessed) / count
    var average = Estimate(correct: Int(correct.rounded()), of: images)
    average.accuracy = correct / Double(images)
    return Summary(
      failures: failures, sets: rows.count,
      isComplete: count == FailureSets.choose(devices.count, failures), average: average,
      averageTop5: Double(rows.reduce(0) { $0 + $1.correctTop5 }) / count / Double(images),
      minimum: .init(failed: worst.failed, estimate: estimate(worst)),
      maximum: .init(failed: best.failed, estimate: estimate(best)),
      lostNeurons: Double(rows.reduce(0) { $0 + $1.lostNeurons }) / count)
  }

  /// The name that the RobustDiCE paper gives to failures of this many devices: `A` for four, `B` for
  /// three, `C` for two.
  package static func scenario(devices: Int) -> String? {
    switch devices {
    case 4: "A"
    case 3: "B"
    case 2: "C"
    default: nil
    }
  }

  /// The accuracy to expect when each device survives with its own probability, independently of the
  /// others: the sum over all failure sets of the set's probability times the accuracy then
  /// (deepFogGuard, equation 3). When nobody survives the answer is a guess.
  ///
  /// - Parameter reliabilities: by device, 0 to 1.
  /// - Throws: `invalidArgument` for other numbers, `unsupported` when a set of positive probability
  ///   was not studied.
  package func expectedAccuracy(reliabilities: [Double]) throws(MartletError) -> Double {
    guard reliabilities.count == devices.count, reliabilities.allSatisfy((0...1).contains) else {
      throw MartletError(
        .invalidArgument, "reliabilities are probabilities, one for each of the devices",
        context: ["devices": "\(devices.count)", "given": "\(reliabilities.count)"])
    }
    func probability(failed: Set<Int>) -> Double {
      reliabilities.indices.reduce(1) {
        $0 * (failed.contains($1) ? 1 - reliabilities[$1] : reliabilities[$1])
      }
    }
    var sum = probability(failed: Set(devices.indices)) * chance
    for row in rows {
      sum += probability(failed: Set(row.failed)) * estimate(row).accuracy
    }
    guard isWhole || coversAll(reliabilities) else {
      throw MartletError(
        .unsupported, "the expected accuracy needs the outcome of every failure set",
        context: ["studied": "\(rows.count) sets of \(devices.count) devices"],
        hint: "martlet study --all studies them all")
    }
    return sum
  }

  /// Whether the sets that were not studied cannot happen: devices of reliability 1 never fail.
  private func coversAll(_ reliabilities: [Double]) -> Bool {
    let mortal = reliabilities.indices.filter { reliabilities[$0] < 1 }
    guard mortal.count < 13 else { return false }
    return (0..<1 << mortal.count).allSatisfy { mask in
      let failed = mortal.indices.filter { mask >> $0 & 1 == 1 }.map { mortal[$0] }
      return failed.count == devices.count || positions[failed] != nil
    }
  }
}
