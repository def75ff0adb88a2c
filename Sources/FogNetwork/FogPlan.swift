package import Foundations
package import ModelGraph
package import Plan

/// Trained networks as plans: the same workers, client and report as for any other model.
extension FogModel {
  /// The network with a device for each physical node.
  ///
  /// Its graph is spread by blocks: what a node adds up and computes, projections of what arrives
  /// included, is one block on the node's device, and a hyperconnection is the exchange of a value
  /// between blocks. Additions ignore what is null, so that everything else follows from `NullFlow`.
  ///
  /// - Parameters:
  ///   - name: the model's name in the plan.
  ///   - sha256: of the model file.
  /// - Returns: the plan, and the graph with its weights.
  /// - Throws: what `Sharding.init(_:blocks:)` and `Plan.init` throw.
  package func plan(
    name: String, sha256: String
  ) throws(MartletError) -> (plan: Plan, graph: Graph) {
    var graph = try design.graph(weights: weights)
    graph.name = name
    let nodes = design.topology.nodes
    let nodeOfUnit = Dictionary(uniqueKeysWithValues: design.units.map { ($0.name, $0.node) })
    var blocks = nodes.map { Sharding.NodeBlock(name: $0.name, nodes: []) }
    for (index, node) in graph.nodes.enumerated() {
      // Nodes are called UNIT.WHAT, and no unit's name has a dot.
      guard let unit = nodeOfUnit[String(node.name.prefix { $0 != "." })] else {
        throw MartletError(
          .mismatch, "a node of the network's graph belongs to nobody", context: ["node": node.name]
        )
      }
      blocks[unit].nodes.append(index)
    }
    let sharding = try Sharding(graph, blocks: blocks)
    let plan = try Plan(
      model: Plan.Model(
        name: name, sha256: sha256, preprocessing: nil, labels: labels, frequencies: frequencies,
        head: Head(detecting: graph)),
      method: "fog", devices: nodes.map { Plan.Device(name: $0.name, tier: $0.tier.rawValue) },
      graph: graph, sharding: sharding,
      placements: nodes.indices.map { LayerPlacement(holders: [[$0]]) })
    return (plan, graph)
  }
}
