import Foundations
import Imaging
import ModelCards
import ModelGraph
import Plan
import TensorFiles
import Tensors

extension ModelCard {
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
