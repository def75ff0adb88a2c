import Imaging
import ModelGraph
import Plan
import TensorCore

extension ModelCard {
  /// The class names for a model, one for each output; nil where none are known or where the output is
  /// no vector of classes.
  ///
  /// - Throws: `mismatch` when they do not fit the outputs.
  func classNames(for graph: Graph) throws(MartletError) -> LabelNames? {
    guard let classes = graph.classCount, let names else { return nil }
    return try names.fitted(to: classes, source: namesSource)
  }

  /// How images get labels for this model.
  func labelling(for graph: Graph) throws(MartletError) -> ImageLabelling {
    guard let classes = graph.classCount else { return .none }
    return .classes(try classNames(for: graph), outputs: classes)
  }
}

extension Plan {
  /// How images get labels for the plan's model.
  ///
  /// - Parameter labels: a file with class names, which win over the plan's.
  func labelling(labels: String? = nil) throws(MartletError) -> ImageLabelling {
    guard let classes = graph.classCount else { return .none }
    if let labels {
      return .classes(
        try LabelNames.read(labels).fitted(to: classes, source: labels), outputs: classes)
    }
    return .classes(model.labels.isEmpty ? nil : LabelNames(model.labels), outputs: classes)
  }
}

/// What commands that read labelled images say about labels.
enum LabellingHelp {
  static let text = """
    Labels: a labels.tsv with the columns file and label (an output's number), or a subfolder for \
    each class, named after the class or the number of its output. Links are followed. The class \
    names are those of --labels, the plan or MODEL.json; without any, there must be a subfolder \
    for each output, in the order of their names. A subfolder that is no class is an error.
    """
}
