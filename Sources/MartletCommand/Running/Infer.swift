import ArgumentParser
import Foundations
import Imaging
import Kernels
import ModelCards
import ModelGraph
import Plan
import Runtime
import Tables
import TensorFiles
import Tensors
import WireProtocol

/// `martlet infer`: the whole model in this process.
struct Infer: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs the whole model in this process, without a broker.",
    discussion: """
      Images: JPEG, PNG and WebP files, folders of them, or tar archives. Resize, crop, normalisation and
      class names come from MODEL.json beside MODEL.onnx, or from the options; without either,
      TorchVision's evaluation transform is used for three channels. Which it is, and where it is from,
      stands on standard error, with --json in the last line.

      \(LabellingHelp.text)

      \(UnreadableImages.help)

      How the output is read follows from the model's last operations: a softmax or a plain layer is
      a classification, a sigmoid is binary (one number) or multilabel. "task" in MODEL.json says
      otherwise: classification, binary, multilabel or raw. Anything else (a map, several outputs, a
      single plain number) is raw: its outputs are summarised, and no class is named.

      With --json each line says schema_version, status, request_id, time (RFC 3339, UTC), image,
      task, label, label_name and confidence (the model's answer), truth and truth_name (the right
      class, where it is known), top5, labels (multilabel: all of at least one half), outputs (raw:
      name, shape, min, mean, max), latency_ms and, for answers of devices, degraded, guessed,
      reliable, expected_accuracy and present. The last line adds them up.

      Examples:
        martlet infer model.onnx --images photo.jpg
        martlet infer model.onnx --images validation/ --json
        martlet infer model.onnx --images validation/ --weights i8
        martlet infer model.onnx --tensor x.npy --output y.npy
      """)

  @OptionGroup var options: ModelOptions
  @OptionGroup var card: CardOptions

  @Option(parsing: .upToNextOption, help: "Images, folders or tar archives.", completion: .file())
  var images: [String] = []

  @Option(
    help: "A .npy or .safetensors file with the input, instead of images.", completion: .file())
  var tensor: String?

  @Option(help: "Where to write the output of --tensor: .npy or .safetensors.", completion: .file())
  var output: String?

  @OptionGroup var overwrite: OverwriteOptions

  @OptionGroup var stored: WeightOptions

  @Option(help: "Threads that compute.")
  var threads = 1

  @Option(help: "Run --tensor this many times and report each time.")
  var `repeat` = 1

  @Flag(help: "Print one JSON object a result.")
  var json = false

  func validate() throws {
    guard images.isEmpty != (tensor == nil) else {
      throw ValidationError("give either --images or --tensor")
    }
    guard tensor != nil || output == nil else { throw ValidationError("--output needs --tensor") }
    guard (1...256).contains(threads) else { throw ValidationError("--threads must be 1 to 256") }
    guard `repeat` > 0 else { throw ValidationError("--repeat must be at least 1") }
  }

  func run() throws {
    try OutputFiles.check([output], overwrite)
    let graph = try options.graph()
    ComputeThreads.set(threads)
    stored.weights.tellUnstorable(of: graph)
    if let tensor { try run(tensor, graph) } else { try classify(graph) }
  }

  // MARK: Tensors

  private struct TensorReport: Encodable {
    var timesMilliseconds: [Double]
    var outputShape: Shape

    private enum CodingKeys: String, CodingKey {
      case timesMilliseconds = "times_ms"
      case outputShape = "output_shape"
    }
  }

  private func run(_ path: String, _ graph: Graph) throws {
    let inputs = try TensorArgument.read(path, inputs: graph.inputs.map { graph[$0] })
    let outputNames = graph.outputs.map { graph[$0].name }
    let execution = try Execution(Program(graph, weights: stored.weights))
    var times: [Double] = []
    var outputs: [Tensor] = []
    let clock = ContinuousClock()
    for _ in 0..<`repeat` {
      let start = clock.now
      outputs = try execution.run(inputs: inputs)
      times.append((clock.now - start).inMilliseconds)
    }
    if let output {
      try TensorArgument.write(zip(outputNames, outputs).map { ($0, $1) }, to: output)
    }
    guard let first = outputs.first else { return }
    if json {
      try Terminal.printJSON(TensorReport(timesMilliseconds: times, outputShape: first.shape))
    } else {
      let best = times.min() ?? 0
      try Terminal.print(
        "output \(first.shape), \(best.formatted(2)) ms" + (times.count > 1 ? " at best" : ""))
    }
  }

  // MARK: Images

  private struct Totals: Encodable {
    var images: Int
    var labelled: Int
    var correct: Int
    var accuracy: Double?
    var unreadableImages = 0
    var preprocessing: PreprocessingNote?

    private enum CodingKeys: String, CodingKey {
      case images, labelled, correct, accuracy, preprocessing
      case unreadableImages = "unreadable_images"
    }
  }

  private func classify(_ graph: Graph) throws {
    let card = try ModelCard.load(
      model: options.model, preprocessing: card.preprocessing, labels: card.labels)
    guard let preprocessing = try card.preprocessing(for: graph) else {
      throw MartletError(
        .unsupported, "the model's input is not an image", hint: "use --tensor instead")
    }
    try card.tellAssumptions(for: graph, model: options.model)
    let set = try ImageSet.open(paths: images, labelling: try card.labelling(for: graph))
    let names = set.labelNames?.names ?? []
    let execution = try Execution(Program(graph, weights: stored.weights))
    let head = try card.head(of: graph)
    let note = try card.preprocessingNote(for: graph)
    // What is taken by default has been told as an assumption.
    if !json, let note, note.origin != .standard { Terminal.printLine("martlet: " + note.text) }
    let outputNames = graph.outputs.map { graph[$0].name }
    var totals = Totals(images: 0, labelled: 0, correct: 0, preprocessing: note)
    let unreadable = UnreadableImages()
    let clock = ContinuousClock()
    for index in 0..<set.count {
      let read = unreadable.reading(set.name(index)) { () throws(MartletError) in
        try preprocessing.apply(try set.load(index))
      }
      guard let input = read else { continue }
      let start = clock.now
      let outputs = try execution.run(inputs: [input])
      let latency = clock.now - start
      let prediction = Prediction(
        zip(outputNames, outputs).map { (name: $0, tensor: $1) }, head: head, names: names)
      totals.images += 1
      if let isRight = set.label(index).flatMap(prediction.isRight) {
        totals.labelled += 1
        if isRight { totals.correct += 1 }
      }
      if json {
        let origin = FrameOrigin(
          requestID: "infer-\(index + 1)", image: set.name(index), truth: set.label(index))
        try Terminal.printJSON(
          FrameResult(
            prediction, frame: UInt64(index) + 1, latency: latency, origin: origin, names: names))
      } else {
        try Terminal.print("\(set.name(index)): \(prediction.text(classes: 5))")
      }
    }
    totals.unreadableImages = unreadable.count
    if totals.labelled > 0 {
      totals.accuracy = Double(totals.correct) / Double(totals.labelled)
    }
    if json {
      try Terminal.printJSON(totals)
    } else if let accuracy = totals.accuracy {
      try Terminal.print(
        "top-1 \((accuracy * 100).formatted(2)) % (\(totals.correct) of \(totals.labelled) labelled images)"
          + UnreadableImages.note(unreadable.count))
    } else if unreadable.count > 0 {
      try Terminal.print("\(totals.images) images" + UnreadableImages.note(unreadable.count))
    }
    try unreadable.finish()
  }
}

/// Tensors named on the command line.
enum TensorArgument {
  /// The model's inputs from a file: the one tensor of a `.npy`, or those of a `.safetensors` by name.
  static func read(_ path: String, inputs: [Graph.Value]) throws(MartletError) -> [Tensor] {
    let tensors = try elements(path, inputs: inputs)
    for (tensor, input) in zip(tensors, inputs)
    where tensor.elementType == .int64 && input.elementType == .float32 {
      throw MartletError(
        .mismatch, "an input holds whole numbers where the model takes float32",
        context: ["file": path, "input": input.name], hint: "save it with .astype('float32')")
    }
    return tensors
  }

  private static func elements(
    _ path: String, inputs: [Graph.Value]
  ) throws(MartletError) -> [Tensor] {
    if path.hasSuffix(".npy") { return [try NumpyFile.read(path)] }
    guard path.hasSuffix(".safetensors") else {
      throw MartletError(
        .invalidArgument, "a tensor must be a .npy or .safetensors file", context: ["file": path])
    }
    let tensors = try SafetensorsFile.read(path)
    if inputs.count == 1, tensors.count == 1, let only = tensors.values.first { return [only] }
    return try inputs.map { input throws(MartletError) in
      guard let tensor = tensors[input.name] else {
        throw MartletError(
          .notFound, "the file has no tensor for an input",
          context: ["file": path, "input": input.name])
      }
      return tensor
    }
  }

  /// Writes outputs: the first to a `.npy`, all to a `.safetensors`.
  static func write(_ outputs: [(String, Tensor)], to path: String) throws(MartletError) {
    if path.hasSuffix(".safetensors") {
      try SafetensorsFile.write(path, tensors: outputs.map { (name: $0.0, tensor: $0.1) })
    } else if path.hasSuffix(".npy"), let first = outputs.first {
      try NumpyFile.write(path, first.1)
    } else {
      throw MartletError(
        .invalidArgument, "an output must be a .npy or .safetensors file", context: ["file": path])
    }
  }
}
