import Plan
import Testing

@Suite("Guesses by class frequencies")
struct ClassGuessTests {
  @Test func drawsFollowTheFrequenciesAndTheSeed() {
    let guess = ClassGuess(frequencies: [0.1, 0, 0.6, 0.3], classes: 4)
    var counts = [0, 0, 0, 0]
    for frame in 0..<10_000 as Range<UInt64> { counts[guess.draw(seed: 3, frame: frame)] += 1 }
    // Five deviations of a binomial.
    for (count, share) in zip(counts, guess.frequencies) {
      let deviation = (10_000 * share * (1 - share)).squareRoot()
      #expect(abs(Double(count) - 10_000 * share) <= 5 * deviation, "\(counts)")
    }
    let draws = (0..<50 as Range<UInt64>).map { guess.draw(seed: 3, frame: $0) }
    #expect(draws == (0..<50 as Range<UInt64>).map { guess.draw(seed: 3, frame: $0) })
    #expect(draws != (0..<50 as Range<UInt64>).map { guess.draw(seed: 4, frame: $0) })
  }

  @Test func withoutFrequenciesAllClassesAreEqual() {
    let guess = ClassGuess(frequencies: nil, classes: 5)
    #expect(abs(guess.expectedCorrect(of: [0, 1, 2, 3, 4, 0, 0, 0, 0, 0]) - 2) < 1e-12)
  }

  @Test func theExpectedAccuracyIsThatOfTheDraws() {
    let guess = ClassGuess(frequencies: [0.75, 0.25], classes: 2)
    #expect(guess.expectedCorrect(of: [0, 0, 1, 1]) == 2)
    #expect(guess.expectedCorrect(of: [0, 0, 0, 1]) == 2.5)
  }
}
