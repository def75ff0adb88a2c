import Foundations
import ModelGraph
import Plan

/// The whole model on every device: a frame is computed by one of them, and nothing is exchanged but
/// input and answer.
struct WholeMethod: PlanningMethod {
  let name = "whole"
  let summary = "the whole model on every device, each frame on one of them"
  /// Load decides at run time who gets how many frames. What is lost is a frame, which is sent again:
  /// there is no channel for a mean to stand in.
  let abilities = MethodAbilities(takesShares: false, takesMeans: false)

  func layout(
    of graph: Graph, wishes: DeviceWishes, choices: MethodChoices
  ) throws(MartletError) -> PlanLayout {
    let whole = Sharding.NodeBlock(name: name, nodes: Array(graph.nodes.indices))
    return PlanLayout(
      devices: try wishes.devices(), sharding: try Sharding(graph, blocks: [whole]))
  }

  func place(_ request: PlacementRequest) throws(MartletError) -> PlacementResult {
    PlacementResult(
      placements: [LayerPlacement(holders: [Array(0..<request.devices)])], description: name)
  }
}
