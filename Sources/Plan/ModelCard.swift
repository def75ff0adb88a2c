package import Foundations
import JSONCoding
package import ModelCards
package import ModelGraph
import TensorFiles
import Tensors

/// What is known of a model besides its graph: how images become its input, and its class names. Read
/// from `MODEL.json` beside `MODEL.onnx`, or from files that win over it.
package struct ModelCard: Codable, Sendable {
  /// How an image becomes the input.
  package var preprocessing: Preprocessing?
  /// Class names by output index, as the card has them.
  package private(set) var labels: [String]?
  /// The share of each class among the training samples, by output index.
  package var frequencies: [Double]?
  /// How the output is read: the name of a `Head.Task`; else the model's last operations say it.
  package var task: String?
  /// The class names of a file that wins over the card's.
  private var given: LabelNames?
  /// What the class names are from.
  package private(set) var namesSource = ""
  /// Where the preprocessing is from.
  package private(set) var preprocessingOrigin = PreprocessingOrigin.standard

  private enum CodingKeys: String, CodingKey { case preprocessing, labels, frequencies, task }

  /// Nothing is known.
  package init() {}

  /// The class names, not yet held against a model.
  package var names: LabelNames? { given ?? labels.map { LabelNames($0) } }

  /// How the model's output is read.
  ///
  /// - Throws: `invalidArgument` for a task that is none, `mismatch` for one that the output cannot have.
  package func head(of graph: Graph) throws(MartletError) -> Head {
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
  package static func load(
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
  package func preprocessing(for graph: Graph) throws(MartletError) -> Preprocessing? {
    guard let input = graph.inputs.first else { return nil }
    let shape = graph[input].shape
    guard let preprocessing = preprocessing?.fitted(to: shape) else {
      return Preprocessing.usual(for: shape)
    }
    guard Preprocessing.mayTake(shape) else { return nil }
    guard preprocessing.outputShape?.dimensions == [1] + shape.dimensions.dropFirst() else {
      throw MartletError(
        .invalidShape, "the preprocessing does not give the model's input",
        context: [
          "gives": preprocessing.outputShape?.description ?? "any size",
          "model takes": "\(shape)",
        ], hint: "set crop or resizeExact, channels and layout in the preprocessing")
    }
    return preprocessing
  }
}

extension ModelCard {
  /// The class names for a model, one for each output; nil where none are known or where the output is
  /// no vector of classes.
  ///
  /// - Throws: `mismatch` when they do not fit the outputs.
  package func classNames(for graph: Graph) throws(MartletError) -> LabelNames? {
    guard let classes = graph.classCount, let names else { return nil }
    return try names.fitted(to: classes, source: namesSource)
  }

  /// How images get labels for this model.
  package func labelling(for graph: Graph) throws(MartletError) -> ImageLabelling {
    guard let classes = graph.classCount else { return .none }
    return .classes(try classNames(for: graph), outputs: classes)
  }

  /// What a plan says of the model.
  ///
  /// - Parameter path: the model's file.
  package func model(of graph: Graph, path: String) throws(MartletError) -> Plan.Model {
    Plan.Model(
      name: graph.name, sha256: try FileDigest.sha256(path: path),
      preprocessing: try preprocessing(for: graph),
      labels: try classNames(for: graph)?.names ?? [], frequencies: frequencies,
      head: try head(of: graph))
  }
}
