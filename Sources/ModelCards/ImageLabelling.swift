/// How images in folders get their labels.
package enum ImageLabelling: Sendable {
  /// They get none: for uses that need no labels.
  case none
  /// Each folder is a group of its own, numbered in the order of the names: for choosing evenly. If
  /// class names are known, each folder must bear one of them.
  case groups(LabelNames?)
  /// Each folder is a class of a model with this many outputs.
  ///
  /// If class names are known, each folder bears one of them, or the number of an output. If none
  /// are known, folders are numbers of outputs, or there is a folder for each output, in the order of
  /// the names: TorchVision's `ImageFolder`.
  case classes(LabelNames?, outputs: Int)

  /// The class names that are known beforehand.
  package var names: LabelNames? {
    switch self {
    case .none: nil
    case .groups(let names), .classes(let names, _): names
    }
  }

  /// How many classes there are, where that is known.
  package var count: Int? {
    switch self {
    case .none: nil
    case .groups(let names): names?.names.count
    // One output tells two classes apart.
    case .classes(_, let outputs): outputs == 1 ? 2 : outputs
    }
  }

  /// The labels that known names give a folder: none, one, or several of the same name.
  package func known(_ folder: String) -> [Int] {
    guard let names else { return [] }
    let labels = names.labels(of: folder)
    if !labels.isEmpty || names.haveNumbers { return labels }
    return number(folder).map { [$0] } ?? []
  }

  /// A folder's name as the number of an output.
  package func number(_ folder: String) -> Int? {
    guard !folder.isEmpty, folder.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let value = Int(folder), let count, value < count
    else { return nil }
    return value
  }
}
