package import Foundations
package import ModelGraph
import Tensors

extension Sharding {
  /// Nodes that stay together on one device.
  package struct NodeBlock: Sendable, Hashable {
    /// The block's name, for its layer.
    package var name: String
    /// Positions in `Graph.nodes`.
    package var nodes: [Int]

    /// Names some nodes.
    package init(name: String, nodes: [Int]) {
      self.name = name
      self.nodes = nodes
    }
  }

  /// Whether whole blocks of nodes are placed instead of neurons: vertical partitioning.
  package var isVertical: Bool { layers.contains { $0.block != nil } }

  /// Spreads a graph by blocks of nodes (deepFogGuard's vertical partitioning): each block is a layer
  /// of one neuron, and every value is that neuron's one channel along the batch axis. So placements,
  /// parts, exchanges and stages are the same as for neurons; a value travels whole, from its block's
  /// device to all that read it.
  ///
  /// - Parameter blocks: which together have each node once.
  /// - Throws: `mismatch` for blocks that do not cover the graph; `unsupported` where a value that
  ///   leaves its block does not begin with a batch of one.
  package init(_ graph: Graph, blocks: [NodeBlock]) throws(MartletError) {
    var blockOfNode = [Int?](repeating: nil, count: graph.nodes.count)
    for (number, block) in blocks.enumerated() {
      for node in block.nodes {
        guard blockOfNode.indices.contains(node), blockOfNode[node] == nil else {
          throw MartletError(
            .mismatch, "a node of the model is in two blocks, or there is no such node",
            context: ["block": block.name, "node": "\(node)"])
        }
        blockOfNode[node] = number
      }
    }
    let homes = blockOfNode.compactMap { $0 }
    guard homes.count == graph.nodes.count, blocks.allSatisfy({ !$0.nodes.isEmpty }) else {
      throw MartletError(.mismatch, "the blocks do not have every node of the model once")
    }
    self.init()
    var taken: Set<String> = []
    for block in blocks {
      let id = Identifier.make(from: block.name, avoiding: taken)
      taken.insert(id)
      layers.append(Layer(id: id, block: block.nodes.sorted(), of: graph))
    }
    place(graph, homes)
    for value in exchanges {
      let shape = graph[value].shape
      guard shape.dimensions.first == 1 else {
        throw MartletError(
          .unsupported, "a model can only be cut where values begin with a batch of one",
          context: ["value": graph[value].name, "shape": "\(shape)"],
          hint: "plan with --batch 1, or cut elsewhere")
      }
    }
    let stages = countStages(graph)
    exchangeStages = exchanges.map { stages[$0] ?? 0 }
  }

  private mutating func place(_ graph: Graph, _ homes: [Int]) {
    let producers = graph.producers()
    for input in graph.inputs { placements[input] = .full }
    var crossing: Set<ValueID> = []
    for (index, node) in graph.nodes.enumerated() {
      placements[node.output] = .sharded(layer: homes[index], axis: 0)
      uses.append(
        node.inputs.map { input in
          guard let producer = producers[input] else {
            return placements[input] == nil ? .constant : .full
          }
          if homes[producer] == homes[index] { return .own }
          crossing.insert(input)
          return .full
        })
    }
    crossing.formUnion(graph.outputs.filter { producers[$0] != nil })
    exchanges = crossing.sorted { (producers[$0] ?? -1) < (producers[$1] ?? -1) }
  }
}

extension Sharding.Layer {
  fileprivate init(id: String, block nodes: [Int], of graph: Graph) {
    let weighted = nodes.compactMap { index -> (node: Int, count: Int)? in
      guard case .weighted(let count, _) = ChannelRule(node: graph.nodes[index], graph: graph)
      else { return nil }
      return (index, count)
    }
    self.init(
      id: id, neurons: 1, weightedNodes: weighted.map(\.node), isSummable: false,
      block: .init(nodes: nodes, units: weighted.reduce(0) { $0 + $1.count }))
  }
}
