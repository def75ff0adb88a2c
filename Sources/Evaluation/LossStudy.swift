package import Foundations
package import Plan
package import Resilience
import Synchronization

/// Classifies the same images in the frame in which devices die, for every failure set of one plan.
///
/// A masked model knows what survivors make of a loss that they know of. What happens in the frame of
/// the loss itself, only the devices' own programs say: whoever makes a study gives it these.
package struct LossStudy: Sendable {
  /// What a frame came to.
  package struct Outcome: Sendable {
    /// The first output; empty where nothing reached the last layer.
    package var scores: [Float]
    /// Neurons that somebody went on without, over all layers.
    package var lostNeurons: Int

    /// Makes an outcome.
    package init(scores: [Float], lostNeurons: Int) {
      self.scores = scores
      self.lostNeurons = lostNeurons
    }
  }

  /// Runs one frame in one thread: an input's elements, and the devices that die.
  package typealias Frame = (_ input: [Float], _ failed: [Int]) throws(MartletError) -> Outcome

  private let sets: [[Int]]
  private let head: Head
  private let guess: ClassGuess
  private let inputElements: Int
  private let classes: Int

  /// Prepares a study.
  ///
  /// - Parameters:
  ///   - sets: the failure sets, the empty one first.
  ///   - head: how the model's output is read.
  ///   - guess: what an answer is drawn from that comes to null; nil for a plan in which none does.
  ///   - inputElements: of the model's input.
  ///   - outputs: elements of its first output.
  /// - Precondition: the head has an accuracy.
  package init(
    sets: [[Int]], head: Head, guess: ClassGuess?, inputElements: Int, outputs: Int
  ) {
    precondition(head.hasAccuracy, "a study counts right answers")
    self.sets = sets
    self.head = head
    self.inputElements = inputElements
    classes = head.classes(outputs: outputs) ?? 0
    self.guess = guess ?? ClassGuess(frequencies: nil, classes: classes)
  }

  /// Classifies images.
  ///
  /// The result does not depend on the number of threads.
  ///
  /// - Parameters:
  ///   - images: what to classify; each is loaded once.
  ///   - threads: how many frames are computed at once.
  ///   - progress: called after each image with the number that are done, from any thread, one at a
  ///     time.
  ///   - isStopped: asked before each frame.
  ///   - makeFrame: called once on each thread.
  /// - Returns: a row for each failure set, in their order.
  /// - Throws: `cancelled` when stopped, `mismatch` for a label that is no class of the model, what
  ///   loading and the frames throw.
  package func run(
    _ images: LabelledImages, threads: Int = 1,
    progress: @escaping @Sendable (Int) -> Void = { _ in },
    isStopped: @escaping @Sendable () -> Bool = { false },
    makeFrame: @Sendable () throws(MartletError) -> Frame
  ) throws(MartletError) -> [FailureTable.Row] {
    try images.check(classes: classes)
    let tally = Mutex(
      StudyTally(leaves: sets.count, images: images.count, keepsPredictions: false))
    let lostNeurons = Mutex([Int](repeating: 0, count: sets.count))
    try BatchWorkers.run(tasks: images.count, threads: threads) { () throws(MartletError) in
      try makeFrame()
    } body: { index, frame throws(MartletError) in
      let input = try images.load(index, elements: inputElements)
      var answers: [[Ranking]] = []
      for (position, failed) in sets.enumerated() {
        if isStopped() { throw MartletError(.cancelled, "stopped") }
        let outcome = try frame(input, failed)
        // The same for each image.
        lostNeurons.withLock { $0[position] = outcome.lostNeurons }
        answers.append(
          outcome.scores.isEmpty
            ? []
            : [
              outcome.scores.withUnsafeBufferPointer {
                Ranking($0, head: head, truth: images.labels[index])
              }
            ])
      }
      let rankings = answers
      tally.withLock { tally in
        tally.add(rankings, images: index..<index + 1, digests: [""])
        progress(tally.done)
      }
    }
    let lost = lostNeurons.withLock { $0 }
    return tally.withLock { tally in
      sets.enumerated().map { position, failed in
        tally.row(
          position, failed: failed, lostNeurons: lost[position], labels: images.labels,
          guess: guess)
      }
    }
  }
}
