import ModelGraph
package import Tensors

/// The random guess that stands in for an answer when nothing reaches the last layer (deepFogGuard,
/// definition 4): a draw by the frequencies of the classes in training.
package struct ClassGuess: Sendable, Hashable {
  /// By class; they add up to one.
  package let frequencies: [Double]

  /// Guesses by these frequencies, or, where they are unknown, among `classes` equal ones.
  package init(frequencies: [Double]?, classes: Int) {
    self.frequencies =
      frequencies ?? Array(repeating: 1 / Double(max(classes, 1)), count: classes)
  }

  /// The class drawn for a frame: the same for the same seed and frame, on every machine.
  package func draw(seed: UInt64, frame: UInt64) -> Int {
    // SplitMix64's finaliser (Steele, Lea, Flood 2014).
    var z = seed &* 0xd134_2543_de82_ef95 &+ frame &* 0x9e37_79b9_7f4a_7c15 &+ 1
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    z ^= z >> 31
    var rest = Double(z >> 11) * 0x1p-53
    for (label, share) in frequencies.enumerated() {
      if rest < share { return label }
      rest -= share
    }
    // The frequencies add up to one but for rounding.
    return frequencies.lastIndex { $0 > 0 } ?? 0
  }

  /// The expected number of right guesses among samples of these classes.
  package func expectedCorrect(of labels: [Int]) -> Double {
    labels.reduce(0) { $0 + (frequencies.indices.contains($1) ? frequencies[$1] : 0) }
  }
}

extension Plan {
  /// What an answer is drawn from when it is null; among no classes where there are none to guess.
  package var guess: ClassGuess {
    let count = graph.outputs.first.map { graph[$0].shape.count } ?? 0
    return ClassGuess(
      frequencies: model.frequencies,
      classes: head.hasAccuracy ? head.classes(outputs: count) ?? 0 : 0)
  }

  /// What stands in for a null answer: the frequencies in place of the outputs, and the class drawn by
  /// them. Neither where no class can be guessed.
  package func guessedAnswer(seed: UInt64, frame: UInt64) -> (outputs: [Tensor], label: Int?) {
    guard head.hasAccuracy else { return ([], nil) }
    let guess = guess
    let values = guess.frequencies.map { Float($0) }
    let shown = head.task == .binary ? Array(values.suffix(1)) : values
    return ([Tensor([shown.count], shown)], guess.draw(seed: seed, frame: frame))
  }
}
