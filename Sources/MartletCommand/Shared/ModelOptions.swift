import ArgumentParser
import Foundations
import ModelGraph
import ONNXImport

/// Which model, and how to read it.
struct ModelOptions: ParsableArguments {
  @Argument(help: "An ONNX file.", completion: .file(extensions: ["onnx"]))
  var model: String

  @OptionGroup var extents: ExtentOptions

  /// The model as a graph.
  func graph() throws -> Graph { try extents.graph(of: model) }
}

/// Extents of dimensions that a model leaves open.
struct ExtentOptions: ParsableArguments {
  @Option(help: "Extent of the batch dimension.")
  var batch = 1

  @Option(
    help: ArgumentHelp(
      "Extent of another open dimension; once for each.", valueName: "name=extent"))
  var dimension: [String] = []

  /// A model as a graph.
  func graph(of model: String) throws -> Graph {
    try ONNXImporter.load(
      path: model, batch: batch, dimensions: try ExtentOptions.dimensions(dimension))
  }

  /// Extents by name, from `name=extent`.
  static func dimensions(_ arguments: [String]) throws -> [String: Int] {
    var dimensions: [String: Int] = [:]
    for text in arguments {
      let parts = text.split(separator: "=")
      guard parts.count == 2, let extent = Int(parts[1]), extent > 0 else {
        throw ValidationError("--dimension takes NAME=EXTENT, not \(text)")
      }
      dimensions[String(parts[0])] = extent
    }
    return dimensions
  }
}

/// How images become inputs, where the model's own card is not enough.
struct CardOptions: ParsableArguments {
  @Option(
    help: "JSON file with resize, crop and normalisation; see martlet plan --help.",
    completion: .file())
  var preprocessing: String?

  @Option(
    help: "Class names: one a line, index<TAB>name, or JSON; they win over the card's.",
    completion: .file())
  var labels: String?
}
