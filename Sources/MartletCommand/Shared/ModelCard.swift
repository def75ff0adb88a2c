import Imaging
import JSONCoding
import ModelGraph
import Plan
import TensorCore
import TensorFiles

/// What is known of a model besides its graph: how images become its input, and its class names. Read
/// from `MODEL.json` beside `MODEL.onnx`, or from files given on the command line.
struct ModelCard: Codable {
  /// How an image becomes the input.
  var preprocessing: Preprocessing?
  /// Class names by output index, as the card has them.
  private var labels: [String]?
  /// The share of each class among the training samples, by output index.
  var frequencies: [Double]?
  /// How the output is read: the name of a `Head.Task`; else the model's last operations say it.
  var task: String?
  /// The class names of a file that wins over the card's.
  private var given: LabelNames?
  /// What the class names are from.
  private(set) var namesSource = ""
  /// Where the preprocessing is from.
  private(set) var preprocessingOrigin = PreprocessingNote.Origin.standard

  private enum CodingKeys: String, CodingKey { case preprocessing, labels, frequencies, task }

  /// The class names, not yet held against a model.
  var names: LabelNames? { given ?? labels.map { LabelNames($0) } }

  /// How the model's output is read.
  ///
  /// - Throws: `invalidArgument` for a task that is none, `mismatch` for one that the output cannot have.
  func head(of graph: Graph) throws(MartletError) -> Head {
    guard let task else { return Head(detecting: graph) }
    guard let known = Head.Task(rawValue: task) else {
      throw MartletError(
        .invalidArgument, "the model's card names a task that is not known",
        context: ["task": task],
        hint: "use one of " + Head.Task.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return try Head(of: graph, task: known)
  }

  /// The card for a model.
  ///
  /// - Parameters:
  ///   - model: the model's path; its card has the same name with `.json`.
  ///   - preprocessing: a file with a preprocessing, which wins over the card's.
  ///   - labels: a file with class names, which wins over the card's.
  static func load(
    model: String, preprocessing: String?, labels: String?
  ) throws(MartletError) -> ModelCard {
    var card = ModelCard()
    if model.hasSuffix(".onnx") {
      let path = String(model.dropLast(5)) + ".json"
      if FileSystem.exists(path) {
        card = try JSON.decode(
          ModelCard.self, from: try FileSystem.read(path, limit: 16 << 20), source: path)
        card.namesSource = path
        if card.preprocessing != nil { card.preprocessingOrigin = .card(path) }
      }
    }
    if let preprocessing {
      card.preprocessing = try JSON.decode(
        Preprocessing.self, from: try FileSystem.read(preprocessing, limit: 1 << 20),
        source: preprocessing)
      card.preprocessingOrigin = .option(preprocessing)
    }
    if let labels {
      card.given = try LabelNames.read(labels)
      card.namesSource = labels
    }
    return card
  }

  /// The preprocessing for a model: the card's, or the usual one for its input's shape; nil when the
  /// input is no image.
  func preprocessing(for graph: Graph) throws(MartletError) -> Preprocessing? {
    guard let input = graph.inputs.first else { return nil }
    let shape = graph[input].shape
    guard let usual = Preprocessing.usual(for: shape) else { return nil }
    guard let preprocessing else { return usual }
    guard preprocessing.outputShape?.dimensions == [1] + shape.dimensions.dropFirst() else {
      throw MartletError(
        .invalidShape, "the preprocessing does not give the model's input",
        context: [
          "gives": preprocessing.outputShape?.description ?? "any size",
          "model takes": "\(shape)",
        ], hint: "set crop or resizeExact, and channels, in the preprocessing")
    }
    return preprocessing
  }

  /// The note on the preprocessing for a model; nil when the input is no image.
  func preprocessingNote(for graph: Graph) throws(MartletError) -> PreprocessingNote? {
    guard let used = try preprocessing(for: graph), let input = graph.inputs.first else {
      return nil
    }
    return PreprocessingNote(used, from: preprocessingOrigin, input: graph[input].shape)
  }

  /// Says on standard error what is assumed of a model.
  func tellAssumptions(for graph: Graph, model: String) throws(MartletError) {
    for line in try assumptions(for: graph, model: model) { Terminal.printLine("martlet: " + line) }
  }

  /// What is assumed of a model because neither a card nor an option says it, and how to say it: whoever
  /// wonders about wrong or nameless answers finds it here. Nothing for models that take no images.
  func assumptions(for graph: Graph, model: String) throws(MartletError) -> [String] {
    guard let used = try preprocessing(for: graph) else { return [] }
    var lines: [String] = []
    let name = FileSystem.name(of: model)
    let card = name.hasSuffix(".onnx") ? " or \(name.dropLast(5)).json beside it" : ""
    if preprocessing == nil {
      let how =
        used.resizeShort == nil
        ? "values from 0 to 1, resized to the input"
        : "short side \(used.resizeShort ?? 0), cropped to the input, normalised as for TorchVision's "
          + "ImageNet networks"
      lines.append(
        "nothing says how images become inputs of \(name): \(how). If it was trained otherwise its "
          + "answers will be wrong: --preprocessing FILE\(card), see martlet plan --help")
    }
    if labels == nil,
      let classes = graph.outputs.first.map({ graph[$0].shape.dimensions.last ?? 0 }),
      classes > 1
    {
      lines.append(
        "the names of its \(classes) classes are not known, answers are numbers: --labels FILE\(card), "
          + "one name a line")
    }
    return lines
  }
}
