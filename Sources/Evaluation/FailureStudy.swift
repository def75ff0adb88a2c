package import Foundations
package import Plan
package import Resilience
import Synchronization
import TensorFiles

/// Classifies the same images under every failure set of one or several plans of a model, in one
/// process.
///
/// Nothing travels: a failure set takes the channels of its lost neurons out of the exchanged values.
/// Plans of one model exchange the same values, so all their sets share one arrangement of masks, and
/// sets that lose the same neurons, of whichever plan, are computed once.
package struct FailureStudy: Sendable {
  /// One plan.
  package struct Subject: Sendable {
    /// The plan's id.
    package var plan: String
    /// Its partitioning method.
    package var method: String
    /// Its devices' names.
    package var devices: [String]
    /// Who holds which neuron, by layer.
    package var placements: [LayerPlacement]
    /// The failure sets, the empty one first.
    package var sets: [[Int]]
    /// What stands in for lost neurons.
    package var fill: Plan.Fill
    /// How each exchanged value travels: what every reader of a part is taken to see.
    package var wire: WireRounding
    /// What an answer is drawn from that comes to null; nil for a plan in which none does.
    package var guess: ClassGuess?

    /// Makes a subject.
    package init(
      plan: String, method: String, devices: [String], placements: [LayerPlacement],
      sets: [[Int]], fill: Plan.Fill = .zero, wire: WireRounding = .none,
      guess: ClassGuess? = nil
    ) {
      self.wire = wire
      self.plan = plan
      self.method = method
      self.devices = devices
      self.placements = placements
      self.sets = sets
      self.fill = fill
      self.guess = guess
    }
  }

  /// How far a study is.
  package struct Progress: Sendable {
    /// Images that are done under all masks.
    package var images: Int
    /// All images.
    package var total: Int
  }

  /// What the model answered for one image in one failure set.
  package struct Prediction: Sendable, Equatable {
    /// The best class.
    package var label: Int32
    /// The confidence in it.
    package var confidence: Float
  }

  /// The outcome.
  package struct Result: Sendable {
    /// One table per subject.
    package var tables: [FailureTable]
    /// By subject, failure set and image; empty unless they were to be kept.
    package var predictions: [[[Prediction]]]
  }

  private let model: MaskedModel
  private let subjects: [Subject]
  private let values: [ExchangedValue]
  private let fills: [Plan.Fill]
  private let wires: [WireRounding]
  private let head: Head
  private let trie: MaskTrie
  /// The leaf of each subject's sets.
  private let leafOf: [[Int]]

  /// Prepares a study.
  ///
  /// - Parameters:
  ///   - model: of the plans' graph, whose points are those of `values`.
  ///   - values: the exchanged values.
  ///   - subjects: the plans.
  ///   - head: how the model's output is read.
  /// - Precondition: each subject places every layer, and the head has an accuracy.
  package init(
    model: MaskedModel, values: [ExchangedValue], subjects: [Subject], head: Head = .unknown
  ) {
    precondition(head.hasAccuracy, "a study counts right answers")
    self.head = head
    precondition(values.map(\.point) == model.points, "one point per exchanged value")
    self.model = model
    self.subjects = subjects
    self.values = values
    var fills: [Plan.Fill] = []
    var wires: [WireRounding] = []
    var masks: [Mask] = []
    for subject in subjects {
      let number = fills.firstIndex(of: subject.fill) ?? fills.count
      if number == fills.count { fills.append(subject.fill) }
      let wire = wires.firstIndex(of: subject.wire) ?? wires.count
      if wire == wires.count { wires.append(subject.wire) }
      for failed in subject.sets {
        masks.append(Mask(lost: subject.lost(failed, values), fill: number, wire: wire))
      }
    }
    self.fills = fills
    self.wires = wires
    trie = model.arrange(masks, wires: wires)
    var leaves = [Int](repeating: 0, count: masks.count)
    for (leaf, masks) in trie.leaves.enumerated() { for mask in masks { leaves[mask] = leaf } }
    var next = 0
    leafOf = subjects.map { subject in
      defer { next += subject.sets.count }
      return Array(leaves[next..<next + subject.sets.count])
    }
  }

  /// How many different ways of failing are computed for each image.
  package var distinctMasks: Int { trie.leaves.count }

  /// Classifies images.
  ///
  /// The result does not depend on the number of threads.
  ///
  /// - Parameters:
  ///   - images: what to classify; each is loaded once.
  ///   - threads: how many batches are computed at once.
  ///   - keepsPredictions: whether to return the answer for each image.
  ///   - progress: called after each batch, from any thread, one at a time.
  ///   - isStopped: asked often.
  /// - Throws: `cancelled` when stopped, `mismatch` for a label that is no class of the model, what
  ///   loading throws.
  package func run(
    _ images: LabelledImages, threads: Int = 1, keepsPredictions: Bool = false,
    progress: @escaping @Sendable (Progress) -> Void = { _ in },
    isStopped: @escaping @Sendable () -> Bool = { false }
  ) throws(MartletError) -> Result {
    try images.check(classes: classes)
    let tally = Mutex(
      StudyTally(
        leaves: trie.leaves.count, images: images.count, keepsPredictions: keepsPredictions))
    let batches = (images.count + model.batch - 1) / model.batch
    try BatchWorkers.run(tasks: batches, threads: threads) { () throws(MartletError) in
      try MaskedExecution(model, fills: fills, wires: wires)
    } body: { batch, execution throws(MartletError) in
      let range = batch * model.batch..<min((batch + 1) * model.batch, images.count)
      try MemoryLimit.require(
        model.batch * model.inputCounts[0], of: MemoryLayout<Float>.size, for: "a batch of images")
      var elements: [Float] = []
      elements.reserveCapacity(model.batch * model.inputCounts[0])
      var digests: [String] = []
      for index in range {
        let input = try images.load(index, elements: model.inputCounts[0])
        digests.append(try input.digest(label: images.labels[index]))
        elements += input
      }
      // The last batch is filled up with black images, whose answers nobody looks at.
      elements += [Float](
        repeating: 0, count: (model.batch - range.count) * model.inputCounts[0])
      var answers: [[Ranking]] = Array(repeating: [], count: trie.leaves.count)
      let outputs = model.outputCount
      try execution.run([elements], masks: trie, isStopped: isStopped) { leaf, scores in
        guard !scores.isEmpty else { return }
        answers[leaf] = range.enumerated().map { entry, index in
          Ranking(
            UnsafeBufferPointer(
              rebasing: scores[entry * outputs..<(entry + 1) * outputs]), head: head,
            truth: images.labels[index])
        }
      }
      tally.withLock { tally in
        tally.add(answers, images: range, digests: digests)
        progress(Progress(images: tally.done, total: images.count))
      }
    }
    return try tally.withLock { tally throws(MartletError) in try result(tally, images) }
  }

  private var classes: Int { head.classes(outputs: model.outputCount) ?? 0 }

  private func result(
    _ tally: StudyTally, _ images: LabelledImages
  ) throws(MartletError) -> Result {
    let digest = try FileDigest.sha256(Array(tally.digests.joined(separator: "\n").utf8))
    var tables: [FailureTable] = []
    for (subject, leaves) in zip(subjects, leafOf) {
      let guess = subject.guess ?? ClassGuess(frequencies: nil, classes: classes)
      let rows = zip(subject.sets, leaves).map { failed, leaf in
        tally.row(
          leaf, failed: failed, lostNeurons: subject.lostNeurons(failed, values),
          labels: images.labels, guess: guess)
      }
      var table =
        try FailureTable(
          plan: subject.plan, method: subject.method, devices: subject.devices,
          images: images.count, imagesDigest: digest, classes: classes,
          fill: subject.fill.kind, rows: rows,
          guessAccuracy: subject.guess.map {
            $0.expectedCorrect(of: images.labels) / Double(images.count)
          })
      table.wire = subject.wire.text
      tables.append(table)
    }
    guard !tally.predictions.isEmpty else { return Result(tables: tables, predictions: []) }
    let predictions = zip(subjects, leafOf).map { subject, leaves in
      leaves.map { leaf in
        tally.answered[leaf]
          ? tally.predictions[leaf] : guesses(subject.guess, images: images.count)
      }
    }
    return Result(tables: tables, predictions: predictions)
  }

  /// What a client with seed 0 draws for images that it sends in order.
  private func guesses(_ guess: ClassGuess?, images: Int) -> [Prediction] {
    let guess = guess ?? ClassGuess(frequencies: nil, classes: classes)
    return (0..<images).map { image in
      let label = guess.draw(seed: 0, frame: UInt64(image))
      return Prediction(label: Int32(label), confidence: Float(guess.frequencies[label]))
    }
  }
}

extension FailureStudy.Subject {
  /// The lost channels of each exchanged value.
  fileprivate func lost(_ failed: [Int], _ values: [ExchangedValue]) -> [[Int]] {
    let alive = devices.indices.map { !failed.contains($0) }
    return values.map {
      $0.channels(
        lost: placements[$0.layer].lostNeurons(
          alive: alive, isBehindFilters: $0.isBehindFilters))
    }
  }

  /// How many neurons are lost in some exchanged value of their layer.
  fileprivate func lostNeurons(_ failed: [Int], _ values: [ExchangedValue]) -> Int {
    var byLayer = [Int](repeating: 0, count: placements.count)
    // The sets of one layer contain one another.
    for (value, lost) in zip(values, lost(failed, values)) {
      byLayer[value.layer] = max(byLayer[value.layer], lost.count)
    }
    return byLayer.reduce(0, +)
  }
}

extension [Float] {
  /// Identifies an input and its label.
  fileprivate func digest(label: Int) throws(MartletError) -> String {
    let bytes = withUnsafeBytes { [UInt8]($0) }
    return "\(try FileDigest.sha256(bytes)) \(label)"
  }
}
