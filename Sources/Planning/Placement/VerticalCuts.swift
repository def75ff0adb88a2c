package import Foundations
package import ModelGraph
package import Plan
import Tensors

/// Cuts a model into blocks of consecutive nodes, one for each device on the way from edge to cloud.
/// No training: what deepFogGuard calls Vanilla.
package struct VerticalCuts: Sendable, Hashable {
  /// Positions in `Graph.nodes`; each block ends with one, but for the last, which ends the model.
  package let ends: [Int]

  /// Cuts behind the named nodes.
  ///
  /// - Throws: `notFound` for a name that is no node's, with some that are; `invalidArgument` for
  ///   names that are not in the model's order, or behind which nothing is left.
  package init(after names: [String], of graph: Graph) throws(MartletError) {
    var ends: [Int] = []
    for name in names {
      guard let node = graph.nodes.firstIndex(where: { $0.name == name }) else {
        let known = Self.places(graph).map { graph.nodes[$0].name }
        throw MartletError(
          .notFound, "the model has no layer of this name to cut behind", context: ["layer": name],
          hint: "martlet describe lists all; one value leaves "
            + known.prefix(20).joined(separator: ", ") + (known.count > 20 ? " ..." : ""))
      }
      guard node > ends.last ?? -1, node < graph.nodes.count - 1 else {
        throw MartletError(
          .invalidArgument, "cuts must be in the order of the model and leave something behind",
          context: ["layer": name])
      }
      ends.append(node)
    }
    self.ends = ends
  }

  /// Cuts where multiply-adds are balanced: the most that a device has, for its share, is least; of
  /// equal cuts those that send least. Cuts only where a single value goes on.
  ///
  /// - Parameter shares: relative work of each device, above zero.
  /// - Throws: `unsupported` if there are not enough such places.
  package init(balancing graph: Graph, shares: [Double]) throws(MartletError) {
    guard !shares.isEmpty, shares.allSatisfy({ $0 > 0 && $0.isFinite }) else {
      throw MartletError(
        .invalidArgument, "every device of a vertical plan has a block: shares must be above zero")
    }
    let places = Self.places(graph)
    guard places.count >= shares.count - 1 else {
      throw MartletError(
        .unsupported, "the model has too few places where a single value goes on",
        context: ["places": "\(places.count)", "devices": "\(shares.count)"],
        hint: "use fewer devices, or name layers with --cuts")
    }
    var before = [0.0]
    for node in graph.nodes { before.append(before[before.count - 1] + graph.work(of: node)) }
    /// The best way to end a block behind each place.
    struct Best {
      var load: Double
      var sent: Int
      var ends: [Int]
    }
    var best: [Best] = [Best(load: 0, sent: 0, ends: [])]
    for (number, share) in shares.enumerated() {
      let isLast = number == shares.count - 1
      let candidates = isLast ? [graph.nodes.count - 1] : places
      best = candidates.compactMap { place -> Best? in
        var found: Best?
        for previous in best where previous.ends.last ?? -1 < place {
          let start = (previous.ends.last ?? -1) + 1
          let load = max(previous.load, (before[place + 1] - before[start]) / share)
          let sent = previous.sent + (isLast ? 0 : graph[graph.nodes[place].output].shape.count)
          if let other = found, (other.load, other.sent) <= (load, sent) { continue }
          found = Best(load: load, sent: sent, ends: previous.ends + [place])
        }
        return found
      }
    }
    guard let chosen = best.first else {
      throw MartletError(
        .unsupported, "the model has too few layers for this many devices",
        context: ["devices": "\(shares.count)"])
    }
    ends = Array(chosen.ends.dropLast())
  }

  /// The blocks, each called as its last node.
  package func blocks(of graph: Graph) -> [Sharding.NodeBlock] {
    var start = 0
    return (ends + [graph.nodes.count - 1]).map { end in
      defer { start = end + 1 }
      return Sharding.NodeBlock(name: graph.nodes[end].name, nodes: Array(start...end))
    }
  }

  /// The nodes (positions) behind which one value goes on, and nothing else.
  package static func places(_ graph: Graph) -> [Int] {
    let producers = graph.producers()
    var lastReader: [ValueID: Int] = [:]
    for (index, node) in graph.nodes.enumerated() {
      for input in node.inputs where producers[input] != nil || graph.inputs.contains(input) {
        lastReader[input] = index
      }
    }
    for output in graph.outputs { lastReader[output] = graph.nodes.count }
    var open = Set(graph.inputs)
    return graph.nodes.indices.dropLast().filter { index in
      open.insert(graph.nodes[index].output)
      open = open.filter { lastReader[$0] ?? -1 > index }
      return open == [graph.nodes[index].output]
        && graph[graph.nodes[index].output].shape.dimensions.first == 1
    }
  }
}

extension Graph {
  /// Multiply-adds, and a little for every element that is written, so that cuts of models without
  /// products are balanced as well.
  fileprivate func work(of node: Node) -> Double {
    Double(multiplyAdds(of: node)) + Double(self[node.output].shape.count) * 1e-3
  }
}
