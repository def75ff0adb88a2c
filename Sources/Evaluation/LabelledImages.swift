package import Foundations
package import Imaging
package import ModelCards
package import Tensors

/// Model inputs with the labels that they should get, loaded when they are needed.
package struct LabelledImages: Sendable {
  /// The names, for tables.
  package let names: [String]
  /// The labels.
  package let labels: [Int]
  private let source: @Sendable (Int) throws(MartletError) -> Tensor

  /// Makes a set; `load` is called from several threads.
  package init(
    names: [String], labels: [Int], load: @escaping @Sendable (Int) throws(MartletError) -> Tensor
  ) {
    precondition(names.count == labels.count, "one label per image")
    self.names = names
    self.labels = labels
    source = load
  }

  /// The labelled ones of a set of images, evenly thinned out to at most `limit`: the first ones
  /// alone would be of few classes where images lie in one folder per class.
  ///
  /// - Throws: `notFound` when no image has a label.
  package init(
    _ set: ImageSet, preprocessing: Preprocessing, limit: Int? = nil
  ) throws(MartletError) {
    let labelled = (0..<set.count).compactMap { index in set.label(index).map { (index, $0) } }
    guard !labelled.isEmpty else {
      throw MartletError(
        .notFound, "none of the \(set.count) images has a label",
        hint: "use one folder per class, or a labels.tsv with the columns file and label")
    }
    let count = min(limit ?? labelled.count, labelled.count)
    let chosen = (0..<count).map { labelled[$0 * labelled.count / count] }
    self.init(names: chosen.map { set.name($0.0) }, labels: chosen.map(\.1)) {
      index throws(MartletError) in
      try preprocessing.apply(try set.load(chosen[index].0))
    }
  }

  /// All images of a set, for uses that need no labels; each has label 0.
  package init(unlabelled set: ImageSet, preprocessing: Preprocessing) {
    self.init(
      names: (0..<set.count).map { set.name($0) }, labels: Array(repeating: 0, count: set.count)
    ) { index throws(MartletError) in try preprocessing.apply(try set.load(index)) }
  }

  /// At most `count` of them, evenly chosen.
  package func thinned(to count: Int) -> LabelledImages {
    guard count < self.count else { return self }
    let (source, total) = (source, self.count)
    let chosen = (0..<count).map { $0 * total / count }
    return LabelledImages(names: chosen.map { names[$0] }, labels: chosen.map { labels[$0] }) {
      index throws(MartletError) in try source(chosen[index])
    }
  }

  /// Those of them that can be read: each is read and prepared once.
  ///
  /// - Parameters:
  ///   - progress: called with the number of images that have been tried.
  ///   - unreadable: called with the name of each image that cannot, and the reason.
  /// - Throws: `invalidFile` if there is not one; what `progress` throws.
  package func readable(
    progress: (Int) throws(MartletError) -> Void = { _ in },
    unreadable: (String, MartletError) -> Void
  ) throws(MartletError) -> LabelledImages {
    var chosen: [Int] = []
    // Small ones are kept, so that they are not prepared twice.
    var kept: [Tensor]? = []
    var elements = 0
    for index in 0..<count {
      do throws(MartletError) {
        let input = try source(index)
        chosen.append(index)
        elements += input.shape.count
        if elements > LabelledImages.keptElements { kept = nil }
        kept?.append(input)
      } catch {
        unreadable(names[index], error)
      }
      try progress(index + 1)
    }
    guard !chosen.isEmpty else {
      throw MartletError(.invalidFile, "none of the \(count) images can be read")
    }
    let (source, places, inputs) = (source, chosen, kept)
    return LabelledImages(
      names: places.map { names[$0] }, labels: places.map { labels[$0] }
    ) { index throws(MartletError) in
      if let inputs { return inputs[index] }
      return try source(places[index])
    }
  }

  private static let keptElements = 1 << 24

  /// The same images, decoded now: for those that are looked at again and again. Too many are left
  /// alone.
  ///
  /// - Parameter elements: of the model's input.
  package func decoded(elements: Int) throws(MartletError) -> LabelledImages {
    guard count * elements <= 1 << 27 else { return self }
    var inputs: [Tensor] = []
    for index in 0..<count {
      inputs.append(Tensor(Shape([elements]), try load(index, elements: elements)))
    }
    let loaded = inputs
    return LabelledImages(names: names, labels: labels) { index in loaded[index] }
  }

  /// The number of images.
  package var count: Int { labels.count }

  /// - Throws: `invalidArgument` without images, `mismatch` for a label that is none of `classes`.
  func check(classes: Int) throws(MartletError) {
    guard count > 0 else {
      throw MartletError(.invalidArgument, "there are no images to study")
    }
    for (name, label) in zip(names, labels) where !(0..<classes).contains(label) {
      throw MartletError(
        .mismatch, "a label is no class of the model",
        context: ["image": name, "label": "\(label)", "classes": "\(classes)"])
    }
  }

  /// The model's input for an image.
  ///
  /// - Throws: What reading and decoding throws; `invalidShape` if it has not `elements` elements.
  package func load(_ index: Int, elements: Int) throws(MartletError) -> [Float] {
    let tensor = try source(index)
    guard let values = tensor.floats, values.count == elements else {
      throw MartletError(
        .invalidShape, "an image does not become the model's input",
        context: ["image": names[index], "shape": "\(tensor.shape)", "elements": "\(elements)"])
    }
    return values
  }
}
