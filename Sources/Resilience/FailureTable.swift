package import Foundations
package import Plan

/// What is left of a model's accuracy when devices fail, by which devices fail.
///
/// Made by a `FailureStudy` on labelled images and kept with the plan, so that a running system can
/// say what to expect of the devices it has.
package struct FailureTable: Sendable, Equatable {
  /// The outcome of one failure set.
  package struct Row: Sendable, Equatable {
    /// The devices that are gone, ascending; never all of them.
    package var failed: [Int]
    /// Images whose best class is the right one.
    package var correct: Int
    /// Images whose right class is among the best five.
    package var correctTop5: Int
    /// The mean confidence in the best class.
    package var confidence: Double
    /// Neurons that nobody supplies, over all layers.
    package var lostNeurons: Int
    /// Whether nothing reaches the last layer: the answers are guesses, and `correct` is the expected
    /// number, rounded.
    package var isGuess: Bool

    /// Makes a row.
    package init(
      failed: [Int], correct: Int, correctTop5: Int, confidence: Double, lostNeurons: Int,
      isGuess: Bool = false
    ) {
      self.failed = failed
      self.correct = correct
      self.correctTop5 = correctTop5
      self.confidence = confidence
      self.lostNeurons = lostNeurons
      self.isGuess = isGuess
    }
  }

  /// An accuracy and what the number of images lets us say about it.
  package struct Estimate: Sendable, Equatable {
    /// The share of images that are right, 0 to 1.
    package var accuracy: Double
    /// 95 % confidence over the choice of images.
    package var interval: WilsonInterval

    /// The estimate from a count.
    package init(correct: Int, of images: Int) {
      accuracy = images > 0 ? Double(correct) / Double(images) : 0
      interval = WilsonInterval(successes: correct, trials: images)
    }
  }

  /// The plan that was studied.
  package let plan: String
  /// Its partitioning method.
  package let method: String
  /// Its devices' names, in order.
  package let devices: [String]
  /// How many images were classified.
  package let images: Int
  /// Identifies the inputs and their labels: a SHA-256.
  package let imagesDigest: String
  /// How many classes the model tells apart.
  package let classes: Int
  /// What stood in for lost neurons.
  package let fill: Plan.Fill.Kind
  /// How parts travelled, in words; nil if exactly.
  package var wire: String?
  /// The failure sets by size, the one without failures first.
  package let rows: [Row]
  /// The expected accuracy of a guess by the classes' frequencies; nil where guesses are among equals.
  package let guessAccuracy: Double?
  /// What the same sets cost in the frame in which their devices die; nil where only later frames were
  /// studied.
  package let atLoss: AtLoss?
  let positions: [[Int]: Int]

  /// Puts a table together.
  ///
  /// - Throws: `invalidFile` for numbers that contradict each other.
  package init(
    plan: String, method: String, devices: [String], images: Int, imagesDigest: String,
    classes: Int, fill: Plan.Fill.Kind, rows: [Row], guessAccuracy: Double? = nil,
    atLoss: AtLoss? = nil
  ) throws(MartletError) {
    func require(_ isRight: Bool, _ rule: String) throws(MartletError) {
      guard isRight else { throw FailureTable.error(rule) }
    }
    try require((1...256).contains(devices.count), "has 1 to 256 devices")
    try require(
      Set(devices).count == devices.count && devices.allSatisfy(Identifier.isValid),
      "names each device once, as in a plan")
    try require(images > 0 && classes > 0, "counts images and classes")
    try require(
      rows.count <= FailureSets.maximumCount, "has at most \(FailureSets.maximumCount) rows")
    try require(rows.first?.failed.isEmpty ?? false, "begins with the row without failures")
    try require(
      atLoss.map { $0.rows.map(\.failed) == rows.map(\.failed) } ?? true,
      "has the same failure sets in the frame of a loss and later")
    for row in rows + (atLoss?.rows ?? []) {
      try require(
        row.failed.count < devices.count && row.failed.allSatisfy(devices.indices.contains)
          && zip(row.failed, row.failed.dropFirst()).allSatisfy(<),
        "lists failed devices in order, never all of them")
      try require(
        0 <= row.correct && row.correct <= row.correctTop5 && row.correctTop5 <= images
          && row.lostNeurons >= 0 && (0...1).contains(row.confidence),
        "counts no more right answers than images")
    }
    try require((0...1).contains(guessAccuracy ?? 0), "has a probability of guessing right")
    self.guessAccuracy = guessAccuracy
    self.plan = plan
    self.method = method
    self.devices = devices
    self.images = images
    self.imagesDigest = imagesDigest
    self.classes = classes
    self.fill = fill
    self.rows = rows
    self.atLoss = atLoss
    positions = Dictionary(
      rows.enumerated().map { ($1.failed, $0) }, uniquingKeysWith: { first, _ in first })
    try require(positions.count == rows.count, "has each failure set once")
  }

  /// - Parameter rule: what a table has to be.
  static func error(_ rule: String) -> MartletError {
    MartletError(.invalidFile, "a failure table \(rule)")
  }

  /// The row of a failure set, if it was studied.
  package func row(failed: [Int]) -> Row? { positions[failed].map { rows[$0] } }

  /// What to expect while exactly these devices are alive; nil for a set that was not studied.
  ///
  /// With nobody alive there is no answer, which is as good as a guess.
  ///
  /// - Parameters:
  ///   - alive: by device.
  ///   - moment: of the loss of the others. Where the frame of the loss was not studied as devices do it,
  ///     what is known of later frames stands for it.
  package func expectedAccuracy(alive: [Bool], at moment: Moment = .later) -> Estimate? {
    guard alive.count == devices.count else { return nil }
    let failed = alive.indices.filter { !alive[$0] }
    if failed.count == devices.count {
      return Estimate(correct: Int((chance * Double(images)).rounded()), of: images)
    }
    return positions[failed].map { estimate(rows(at: moment)[$0]) }
  }

  /// How much less accuracy counts as none: one percentage point.
  package static let negligible = 0.01

  /// Whether losing some devices costs nothing, when others are missing already: both sets were
  /// studied, and the accuracy is less by no more than `negligible`.
  package func isFree(losing devices: Set<Int>, besides missing: Set<Int> = []) -> Bool {
    guard let before = row(failed: missing.sorted()),
      let after = row(failed: missing.union(devices).sorted())
    else { return false }
    return estimate(after).accuracy >= estimate(before).accuracy - Self.negligible
  }

  /// A row's top-1 accuracy.
  package func estimate(_ row: Row) -> Estimate {
    var estimate = Estimate(correct: row.correct, of: images)
    if row.isGuess { estimate.accuracy = chance }
    return estimate
  }

  /// The accuracy of guessing.
  package var chance: Double { guessAccuracy ?? 1 / Double(classes) }

  /// Whether every set but that of all devices was studied.
  package var isWhole: Bool {
    devices.count < 20 && rows.count == 1 << devices.count - 1
  }
}
