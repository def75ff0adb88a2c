import Foundations
import ModelCards

/// The labels of the folders that images lie in, decided once over all of them.
struct FolderClasses {
  private var labels: [String: Int] = [:]
  /// The names of the labels, where they are known.
  private(set) var names: LabelNames?

  /// - Parameters:
  ///   - folders: the folders' names.
  ///   - searched: where they were found, named in errors.
  /// - Throws: `mismatch` for a folder that is no class, saying what would be one.
  init(
    _ folders: Set<String>, _ labelling: ImageLabelling, searched: String
  ) throws(MartletError) {
    let sorted = folders.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    names = labelling.names
    guard !folders.isEmpty else { return }
    if let known = labelling.names {
      for folder in sorted {
        labels[folder] = try Self.label(folder, labelling, known, searched: searched)
      }
      return
    }
    if case .classes(_, let outputs) = labelling {
      let numbers = sorted.compactMap { labelling.number($0) }
      if numbers.count == sorted.count {
        labels = Dictionary(uniqueKeysWithValues: zip(sorted, numbers))
        return
      }
      guard sorted.count == labelling.count else {
        throw MartletError(
          .mismatch, "the folders cannot be told apart as classes of the model",
          context: [
            "in": searched, "folders": Self.listing(sorted), "count": "\(sorted.count)",
            "outputs": "\(outputs)",
          ],
          hint: """
            say which class each output is: with --labels FILE (a name a line) or "labels" in \
            MODEL.json; or name the folders 0 to \(outputs - 1) after the outputs
            """)
      }
      names = LabelNames(sorted)
    }
    for (label, folder) in sorted.enumerated() { labels[folder] = label }
  }

  /// The label of one of the folders.
  func label(of folder: String) -> Int? { labels[folder] }

  private static func label(
    _ folder: String, _ labelling: ImageLabelling, _ known: LabelNames, searched: String
  ) throws(MartletError) -> Int {
    let labels = labelling.known(folder)
    switch labels.count {
    case 1: return labels[0]
    case 0:
      throw MartletError(
        .mismatch, "a folder names no class of the model",
        context: ["folder": folder, "in": searched, "known": listing(known.names)],
        hint: """
          rename the folder, give other names with --labels FILE, or name each folder by itself to \
          use its images without labels
          """)
    default:
      throw MartletError(
        .mismatch, "several classes of the model have the name of a folder",
        context: [
          "folder": folder, "in": searched,
          "outputs": labels.map(String.init).joined(separator: " "),
        ], hint: "name the folders after the numbers of the outputs")
    }
  }

  /// The first few names of many.
  private static func listing(_ names: [String]) -> String {
    let shown = names.prefix(12).joined(separator: ", ")
    return names.count > 12 ? "\(shown), … (\(names.count))" : shown
  }
}
