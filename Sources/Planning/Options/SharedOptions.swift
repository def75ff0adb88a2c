/// Options that several methods have.
package enum SharedOptions {
  /// How often the weights may be held, all devices together.
  package static let copies = MethodOption<Double>(
    "copies", .number(from: 1, valueName: "copies"), group: "size",
    help: "at most this many copies of the weights; 2 unless given.")

  /// The most weight memory of a device.
  package static let memory = MethodOption<Int>(
    "memory", .bytes, group: "size",
    help: "at most this much weight memory on a device, as 72MB.")

  /// The importance of neurons.
  package static let scores = MethodOption<String>(
    "scores", .file, help: "importance of neurons, from martlet score.")

  /// Which scores count.
  package static let importance = MethodOption<[ImportanceScores.Score]>(
    "importance", .scores, standard: "s1,s2,s3",
    help: "which scores make up the distance: s1, s2, s3 by commas.")

  /// What is done to scores first.
  package static let normalise = MethodOption<Normalisation>(
    "normalise", .choice("over"), standard: Normalisation.layer.rawValue,
    help: "scores are stretched to 0 to 1 over each layer, the whole model, or none.")

  /// Those that say what neurons matter.
  static let importanceOptions: [any MethodOptionFacts] = [scores, importance, normalise]
}

extension OptionKind where Value == [ImportanceScores.Score] {
  /// Scores by name, separated by commas.
  package static var scores: OptionKind {
    OptionKind(valueName: "scores", allowed: "s1, s2 and s3, separated by commas") { text in
      let names = text.split(separator: ",").map(String.init)
      let scores = names.compactMap { ImportanceScores.Score(rawValue: $0) }
      guard !scores.isEmpty, scores.count == names.count, Set(scores).count == scores.count else {
        return nil
      }
      return scores
    }
  }
}
