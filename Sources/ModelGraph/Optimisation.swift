package import Foundations

extension Graph {
  /// The same function with fewer and simpler nodes: see the folder `Passes`, one file each.
  ///
  /// Results change by no more than rounding. The order of outputs and the names of inputs and
  /// outputs stay.
  ///
  /// - Throws: What `validate` throws, for a graph that is not valid.
  package func optimised() throws(MartletError) -> Graph {
    try validate()
    var graph = withoutDeadNodes()
    // Each round can enable the next one; in practice the third changes nothing. The bound keeps the
    // time linear for graphs that are made to need many.
    for _ in 0..<8 {
      let before = graph.nodes
      graph = try graph.withFoldedConstants()
        .simplified()
        .withRecognisedActivations()
        .withRecognisedLayerNormalisation()
        .withRecognisedDenseLayers()
        .withPropagatedLayout()
        .withFoldedPadding()
        .withFoldedScales()
        .withFoldedNormalisationScales()
        .withFusedActivations()
      if graph.nodes == before { break }
    }
    let result = graph.compacted()
    try result.validate()
    return result
  }
}
