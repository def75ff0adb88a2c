import Foundations
import ModelGraph
import Plan

/// Which pairs of layers are to be divided by their hidden neurons.
package enum PairWish: Sendable, Hashable {
  /// None.
  case none
  /// All by which less is sent.
  case all
  /// Those that end at the nodes of these names.
  case at([String])
  /// What a `PairSearch` finds; whoever runs it replaces this by `chosen`.
  case auto
  /// What was found: positions in `Graph.nodes`.
  case chosen([Int])

  /// Reads `none`, `all`, `auto`, or names of nodes, separated by commas.
  package init(_ text: String) {
    switch text {
    case "none": self = .none
    case "all": self = .all
    case "auto": self = .auto
    default: self = .at(text.split(separator: ",").map(String.init))
    }
  }

  /// Divides the pairs of a layout, behind its strips.
  ///
  /// - Throws: `unsupported` for a model or a layout without pairs; `notFound` for a node that there is
  ///   not, with those that may be named; what `Sharding` throws for one at which no pair ends.
  func apply(to layout: PlanLayout, graph: Graph) throws(MartletError) -> PlanLayout {
    guard self != .none, self != .chosen([]) else { return layout }
    guard !layout.sharding.isVertical else {
      throw MartletError(
        .invalidArgument, "--pairs is for methods that divide layers by neurons",
        hint: "a vertical plan places whole blocks: leave --pairs out")
    }
    let strips = layout.sharding.strips
    let saving = Sharding.pairs(of: graph, strips: strips, devices: layout.devices.count)
    let pairs = try ends(of: graph, saving: saving)
    guard !pairs.isEmpty else {
      throw MartletError(
        .unsupported, "the model has no pair of layers by which less would be sent",
        context: ["model": graph.name],
        hint: "pairs are wide layers between narrow ones, behind all strips: leave --pairs out")
    }
    do throws(MartletError) {
      return PlanLayout(
        devices: layout.devices, sharding: try Sharding(graph, strips: strips, pairs: pairs))
    } catch {
      guard case .at = self else { throw error }
      var other = error
      other.hint = hint(saving.map { graph.nodes[$0].name })
      throw other
    }
  }

  /// - Parameter saving: the ends of all pairs by which less is sent.
  private func ends(of graph: Graph, saving: [Int]) throws(MartletError) -> [Int] {
    switch self {
    case .none: return []
    case .chosen(let nodes): return nodes
    case .all, .auto: return saving
    case .at(let names):
      var nodes: Set<Int> = []
      for name in names {
        guard let index = graph.nodes.firstIndex(where: { $0.name == name }) else {
          throw MartletError(
            .notFound, "the model has no node \"\(name)\" for --pairs",
            hint: hint(saving.map { graph.nodes[$0].name }))
        }
        nodes.insert(index)
      }
      return nodes.sorted()
    }
  }

  private func hint(_ names: [String]) -> String {
    names.isEmpty
      ? "leave --pairs out: there are none by which less would be sent"
      : "none, all, auto, or some of " + names.joined(separator: ",")
  }
}

extension Sharding {
  /// Pairs in words, for a plan's method; nil without any.
  var pairText: String? {
    switch pairs.count {
    case 0: nil
    case 1: "1 pair"
    default: "\(pairs.count) pairs"
    }
  }
}
