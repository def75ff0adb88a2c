import Foundations
package import Resilience

extension Answer {
  /// A device of which something was missing, and why: `d2 lost`, or `d2 absent` where nothing of it
  /// was waited for.
  var missing: [String] {
    let there = Set(present)
    var names = devices.filter { !there.contains($0) }
    for fill in fills where !names.contains(fill.device) { names.append(fill.device) }
    return names.map { name in
      name + " " + (fills.first { $0.device == name }?.reason ?? "absent")
    }
  }

  /// What a reader must know before trusting the answer, such as `UNRELIABLE without d2 lost: 10.0 %
  /// of such answers are right, 87.1 % with all devices`; nil if nothing was missing.
  package var caution: String? {
    let without = "without " + missing.joined(separator: ", ")
    switch reliability {
    case .complete: return nil
    case .expected(let accuracy, let whole):
      let verdict = reliability.isReliable ? "still reliable" : "UNRELIABLE"
      return "\(verdict) \(without): \(accuracy.asPercent) of such answers are right, "
        + "\(whole.asPercent) with all devices"
    case .unknown:
      return "not known how reliable \(without): run martlet study"
    }
  }
}

extension AnswerPolicy {
  /// Why an answer may not be given; nil if it may.
  package func refusal(of answer: Answer) -> String? {
    // Nothing reached the last layer, and no class can be guessed.
    if answer.outputs.isEmpty {
      return "nothing reached the last layer without \(answer.missing.joined(separator: ", "))"
    }
    guard let minimumExpected, !accepts(answer.reliability) else { return nil }
    let expected =
      switch answer.reliability {
      case .expected(let accuracy, _): "the expected accuracy is \(accuracy.asPercent)"
      case .complete, .unknown: "no study says what to expect"
      }
    return "\(expected) without \(answer.missing.joined(separator: ", ")), "
      + "less than the \(minimumExpected.asPercent) asked for"
  }
}
