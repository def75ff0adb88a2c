package import Foundations
import TensorFiles
import Tensors

/// Labelled samples: a matrix of float32 and a class for each row.
package struct FogData: Sendable {
  /// Row-major, `width` elements for each sample.
  package let inputs: [Float]
  /// Elements of a sample.
  package let width: Int
  /// Classes by sample.
  package let labels: [Int]

  /// The number of samples.
  package var count: Int { labels.count }

  /// - Precondition: as many elements as `width` times labels.
  package init(inputs: [Float], width: Int, labels: [Int]) {
    precondition(inputs.count == width * labels.count, "samples of another size")
    self.inputs = inputs
    self.width = width
    self.labels = labels
  }

  /// Reads `<folder>/<split>-inputs.npy`, whose first axis counts samples, and
  /// `<folder>/<split>-labels.npy`, integers of as many elements.
  ///
  /// - Parameters:
  ///   - split: `train`, `validation` or `test`.
  ///   - design: whose samples and classes they must fit.
  /// - Throws: what `NumpyFile` throws; `mismatch` for data that do not fit; `invalidFile` for values
  ///   that are not finite.
  package init(folder: String, split: String, design: FogDesign) throws(MartletError) {
    let inputsPath = "\(folder)/\(split)-inputs.npy"
    let labelsPath = "\(folder)/\(split)-labels.npy"
    let tensor = try NumpyFile.read(inputsPath)
    let given = try NumpyFile.read(labelsPath)
    guard let floats = tensor.floats, tensor.shape.rank >= 2, tensor.shape[0] > 0,
      tensor.shape.count == tensor.shape[0] * design.sampleCount
    else {
      throw MartletError(
        .mismatch, "the samples do not fit the topology",
        context: [
          "file": inputsPath, "shape": "\(tensor.shape) \(tensor.elementType.rawValue)",
          "expected": "Nx\(design.sampleCount) float32",
        ])
    }
    guard let classes = given.integers, given.shape == [tensor.shape[0]] else {
      throw MartletError(
        .mismatch, "there must be one integer label for each sample",
        context: [
          "file": labelsPath, "shape": "\(given.shape) \(given.elementType.rawValue)",
          "samples": "\(tensor.shape[0])",
        ])
    }
    let count = design.topology.classes
    if let bad = classes.firstIndex(where: { !(0..<Int64(count)).contains($0) }) {
      throw MartletError(
        .mismatch, "a label is not one of the topology's classes",
        context: ["file": labelsPath, "sample": "\(bad)", "label": "\(classes[bad])"])
    }
    if let bad = floats.firstIndex(where: { !$0.isFinite }) {
      throw MartletError(
        .invalidFile, "a sample holds a value that is not finite",
        context: ["file": inputsPath, "sample": "\(bad / design.sampleCount)"])
    }
    self.init(inputs: floats, width: design.sampleCount, labels: classes.map { Int($0) })
  }

  /// The share of each class.
  package func frequencies(classes: Int) -> [Double] {
    var counts = [Double](repeating: 0, count: classes)
    for label in labels { counts[label] += 1 }
    return counts.map { $0 / Double(max(count, 1)) }
  }

  /// The class names in `<folder>/labels.txt`, one a line; empty when there is no such file.
  ///
  /// - Throws: `mismatch` for another number of names than classes.
  package static func names(folder: String, classes: Int) throws(MartletError) -> [String] {
    let path = folder + "/labels.txt"
    guard FileSystem.exists(path) else { return [] }
    let names = try FileSystem.readText(path).split(whereSeparator: \.isNewline).map(String.init)
    guard names.count == classes else {
      throw MartletError(
        .mismatch, "the file of class names has another number of lines than there are classes",
        context: ["file": path, "lines": "\(names.count)", "classes": "\(classes)"])
    }
    return names
  }
}
