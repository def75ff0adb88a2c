package import Foundations
import TensorFiles

/// The names of a model's classes by label.
package struct LabelNames: Sendable, Equatable {
  /// The name of each label; empty where none is known.
  package let names: [String]
  /// Whether labels were named one by one, so that some names may be missing.
  private let isPartial: Bool
  /// What else folders may be called, such as the synset identifiers of ImageNet.
  private let aliases: [String: Int]

  /// Makes names from a complete list.
  package init(_ names: [String]) {
    self.names = names
    isPartial = false
    aliases = [:]
  }

  /// Makes names from pairs; labels between them have empty names.
  package init(byLabel names: [Int: String], aliases: [String: Int] = [:]) {
    let count = (names.keys.max() ?? -1) + 1
    self.names = (0..<count).map { names[$0] ?? "" }
    self.aliases = aliases
    isPartial = true
  }

  private init(_ names: [String], aliases: [String: Int]) {
    self.names = names
    self.aliases = aliases
    isPartial = false
  }

  /// The most labels that are read.
  static let maximumCount = 1 << 20

  /// Names for each of a model's outputs: where single ones are missing, `class 123` stands for them.
  ///
  /// - Parameter source: where the names are from, named in errors.
  /// - Throws: `mismatch` when a complete list has another number of names than there are outputs, or
  ///   a label is beyond them.
  package func fitted(to outputs: Int, source: String) throws(MartletError) -> LabelNames {
    // One output tells two classes apart.
    let needed = outputs == 1 && names.count == 2 ? 2 : outputs
    guard names.count == needed || (isPartial && names.count < needed) else {
      throw MartletError(
        .mismatch,
        isPartial
          ? "a class name has a label that the model has no output for"
          : "there are \(names.count) class names for \(outputs) outputs",
        context: isPartial
          ? ["file": source, "label": "\(names.count - 1)", "outputs": "\(outputs)"]
          : ["file": source],
        hint: isPartial
          ? "labels count from 0"
          : """
          a list has one name for each output, in their order, and a blank line counts as one; lines \
          of index<TAB>name may leave some out
          """)
    }
    return LabelNames(
      (0..<needed).map { label in
        let name = label < names.count ? names[label] : ""
        return name.isEmpty ? "class \(label)" : name
      }, aliases: aliases)
  }

  /// The name of a label, or nil if none is known.
  package subscript(label: Int) -> String? {
    guard names.indices.contains(label), !names[label].isEmpty else { return nil }
    return names[label]
  }

  /// The labels with a name; several classes may share one.
  package func labels(of name: String) -> [Int] {
    guard !name.isEmpty else { return [] }
    let labels = names.indices.filter { names[$0] == name }
    return labels.isEmpty ? aliases[name].map { [$0] } ?? [] : labels
  }

  /// Whether some class is named by a number, so that a number need not mean an output.
  package var haveNumbers: Bool { names.contains { Int($0) != nil } }
}
