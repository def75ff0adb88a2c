import Foundations
import Imaging
import ModelGraph
import ONNXImport
import Plan
import TensorFiles
import Tensors

/// A neural network from an ONNX file, to be run whole in this process, or to be divided over devices
/// by ``plan(for:method:options:fill:strips:pairs:wire:weights:conditions:calibration:threads:progress:)``.
///
/// How images become its input, the names of its classes and how its output is read come from its card,
/// `MODEL.json` beside `MODEL.onnx`, or from files that ``Options`` names.
public struct Model: Sendable {
  /// What a model's output means.
  public enum Task: String, Sendable, CaseIterable {
    /// One number a class, and one class is right.
    case classification
    /// One number: whether something is so. Class 0 is no and class 1 is yes.
    case binary
    /// One number a label, and any number of labels are right.
    case multilabel
    /// Neither: a map, a regression, several outputs.
    case raw

    init(_ task: Head.Task) {
      self =
        switch task {
        case .classification: .classification
        case .binary: .binary
        case .multilabel: .multilabel
        case .raw: .raw
        }
    }
  }

  /// An input or output.
  public struct Port: Sendable, Hashable {
    /// Its name in the file.
    public let name: String
    /// Its extents, outermost first; the batch is one of them.
    public let shape: [Int]
  }

  /// How a file is read.
  public struct Options: Sendable {
    /// Extents of dimensions that the file leaves open, by their names; that of the batch is 1.
    public var dimensions: [String: Int] = [:]
    /// A JSON file with resize, crop and normalisation, which wins over the card's.
    public var preprocessingFile: String?
    /// A file with class names, one a line, `index<TAB>name`, or JSON, which wins over the card's.
    public var labelFile: String?

    /// Everything as the model and its card say.
    public init() {}
  }

  /// The model's name.
  public let name: String
  /// What goes in.
  public let inputs: [Port]
  /// What comes out.
  public let outputs: [Port]
  /// How the outputs are read.
  public let task: Task
  /// Class names by output index; empty where they are not known.
  public let labels: [String]
  /// Elements of all weights; one that several layers share counts once.
  public let parameterCount: Int
  /// Multiply-adds of one run.
  public let multiplyAdds: Int

  let graph: Graph
  /// What a plan says of the model.
  let about: Plan.Model
  private let runner: ModelRunner

  /// Reads a model, which takes as long as reading its weights does; the calling thread waits.
  ///
  /// - Parameters:
  ///   - path: an ONNX file; operator sets 7 to 23.
  ///   - options: what the file and its card do not say.
  /// - Throws: ``MartletError``: `notFound`, `permissionDenied` or `io` for the file itself,
  ///   `invalidFile` when it is no ONNX model or contradicts itself, `unsupported` for operators that
  ///   are not known, `invalidShape`, `invalidArgument` for open dimensions without an extent or a card
  ///   that cannot be, `mismatch` for class names that do not fit the outputs.
  public init(contentsOf path: String, options: Options = Options()) throws(MartletError) {
    (graph, about) = try wrappingErrors { () throws(Foundations.MartletError) in
      let graph = try ONNXImporter.load(path: path, dimensions: options.dimensions)
      let card = try ModelCard.load(
        model: path, preprocessing: options.preprocessingFile, labels: options.labelFile)
      return (graph, try card.model(of: graph, path: path))
    }
    runner = ModelRunner(graph)
    let (graph, about) = (graph, about)
    name = graph.name
    inputs = graph.inputs.map { Port(name: graph[$0].name, shape: graph[$0].shape.dimensions) }
    outputs = graph.outputs.map { Port(name: graph[$0].name, shape: graph[$0].shape.dimensions) }
    task = Task(about.head?.task ?? .raw)
    labels = about.labels
    parameterCount = graph.constants.values.reduce(0) { $0 + $1.shape.count }
    multiplyAdds = graph.nodes.reduce(0) { $0 + graph.multiplyAdds(of: $1) }
  }

  /// Bytes of all weights as float32.
  public var weightBytes: Int { parameterCount * ElementType.float32.size }

  /// Whether images can be its input.
  public var takesImages: Bool { about.preprocessing != nil }

  /// The input for an image file: JPEG, PNG or WebP.
  ///
  /// - Returns: resized, cropped and normalised as the model's card says, in the shape of the input.
  /// - Throws: ``MartletError``: `unsupported` for a model that takes no images, `invalidFile` for what
  ///   is no image, `notFound`, `permissionDenied` or `io` for the file itself.
  public func input(imageAt path: String) throws(MartletError) -> Tensor {
    let bytes = try wrappingErrors { () throws(Foundations.MartletError) in
      try FileSystem.read(path)
    }
    return try about.input(image: bytes, source: path)
  }

  /// The input for an image.
  ///
  /// - Parameter bytes: those of a JPEG, PNG or WebP file.
  /// - Returns: as ``input(imageAt:)``.
  /// - Throws: as ``input(imageAt:)``.
  public func input(image bytes: [UInt8]) throws(MartletError) -> Tensor {
    try about.input(image: bytes, source: "image")
  }

  /// Runs the whole model once, on the calling thread, which computes until it is done. May be called
  /// from several threads at once; each call that runs beside others takes memory of its own, which is
  /// kept for later ones.
  ///
  /// - Parameter inputs: one for each of ``inputs``, in its shape.
  /// - Returns: one for each of ``outputs``, in its shape.
  /// - Throws: ``MartletError``: `invalidShape` for inputs that do not fit, `resourceExhausted` without
  ///   memory.
  public func run(_ inputs: [Tensor]) throws(MartletError) -> [Tensor] {
    try wrappingErrors { () throws(Foundations.MartletError) in
      try runner.run(inputs.map(\.core)).map { Tensor($0) }
    }
  }

  /// Runs the whole model once and reads what comes out, as ``run(_:)`` does.
  ///
  /// - Parameters:
  ///   - input: in the shape of the model's one input.
  ///   - count: how many classes or labels to name at most.
  /// - Throws: as ``run(_:)``.
  public func predict(_ input: Tensor, count: Int = 5) throws(MartletError) -> Prediction {
    let results = try run([input])
    return Prediction(
      Plan.Reading(
        zip(outputs, results).map { (name: $0.name, tensor: $1.core) },
        head: about.head ?? .raw, names: labels, count: count))
  }
}

extension Plan.Model {
  /// The model's input for an image.
  func input(image bytes: [UInt8], source: String) throws(MartletError) -> Tensor {
    guard let preprocessing else {
      throw MartletError(
        .unsupported, "the model's input is not an image", context: ["model": name])
    }
    return try wrappingErrors { () throws(Foundations.MartletError) in
      Tensor(try preprocessing.input(try Image.decode(bytes, source: source)))
    }
  }
}
