import Foundations
import Tensors

extension Prediction {
  /// One line for people: the classes, the labels that apply, or a summary of the outputs.
  ///
  /// - Parameter classes: how many classes to name at most.
  package func text(classes: Int = 1) -> String {
    switch head.task {
    case .classification, .binary:
      guard !top.isEmpty else { return "no class" }
      return top.prefix(classes).map(\.text).joined(separator: ", ")
    case .multilabel:
      if chosen.isEmpty {
        return "no label" + (top.first.map { " (likeliest: \($0.text))" } ?? "")
      }
      return chosen.map(\.text).joined(separator: ", ")
    case .raw: return outputs.map(\.text).joined(separator: "; ")
    }
  }
}

extension Prediction.Candidate {
  /// Such as `cat 83.1 %`.
  package var text: String { "\(name ?? "\(label)") \(confidence.asPercent)" }
}

extension Prediction.Output {
  /// Such as `heat 1x4x8x8: min -0.5, mean 0.1, max 2.5`.
  package var text: String {
    var text = "\(name) \(shape): "
    if let minimum = statistics.minimum, let mean = statistics.mean,
      let maximum = statistics.maximum
    {
      text += "min \(minimum), mean \(Float(mean)), max \(maximum)"
    } else {
      text += "no finite element"
    }
    if statistics.notFinite > 0 { text += ", \(statistics.notFinite) not finite" }
    return text
  }
}
