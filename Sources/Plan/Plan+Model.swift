package import Foundations
package import ModelCards
package import ModelGraph

extension Plan {
  /// How images get labels for the plan's model.
  ///
  /// - Parameter labels: a file with class names, which win over the plan's.
  package func labelling(labels: String? = nil) throws(MartletError) -> ImageLabelling {
    guard let classes = graph.classCount else { return .none }
    if let labels {
      return .classes(
        try LabelNames.read(labels).fitted(to: classes, source: labels), outputs: classes)
    }
    return .classes(model.labels.isEmpty ? nil : LabelNames(model.labels), outputs: classes)
  }

  /// Whether this plan's structure is that of a model, node by node.
  package func isOf(_ graph: Graph) -> Bool {
    self.graph.nodes == graph.nodes && self.graph.inputs == graph.inputs
      && self.graph.outputs == graph.outputs
      && self.graph.values.map(\.shape) == graph.values.map(\.shape)
  }
}

extension Plan {
  /// What a model's outputs say, for modules in which `Prediction` means something else: their names
  /// cannot be told apart by this module's, which is also that of a type.
  package typealias Reading = Prediction
}
