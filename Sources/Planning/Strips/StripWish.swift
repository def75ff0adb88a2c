package import Foundations
package import ModelGraph
package import Plan

/// How much of a network's front is to be divided by rows.
package enum StripWish: Sendable, Hashable {
  /// Nothing.
  case none
  /// All that can be.
  case all
  /// Everything up to the node of that name.
  case until(String)
  /// What a `StripSearch` finds; whoever runs it replaces this by `chosen`.
  case auto
  /// What was found.
  case chosen(Strips?)

  /// Reads `none`, `all`, `auto` or a node's name.
  package init(_ text: String) {
    switch text {
    case "none": self = .none
    case "all": self = .all
    case "auto": self = .auto
    default: self = .until(text)
    }
  }

  /// Divides the front of a layout.
  ///
  /// - Throws: `unsupported` for a model or a layout without rows; `notFound` for a node that there is
  ///   not, with those that may be named.
  package func apply(to layout: PlanLayout, graph: Graph) throws(MartletError) -> PlanLayout {
    guard self != .none, self != .chosen(nil) else { return layout }
    guard !layout.sharding.isVertical else {
      throw MartletError(
        .invalidArgument, "--strips is for methods that divide layers by neurons",
        hint: "a vertical plan places whole blocks: leave --strips out")
    }
    return PlanLayout(
      devices: layout.devices, sharding: try Sharding(graph, strips: try strips(of: graph)))
  }

  /// What is wished for of a model; nil for nothing.
  ///
  /// - Throws: like `apply`.
  func strips(of graph: Graph) throws(MartletError) -> Strips? {
    guard self != .none, self != .chosen(nil) else { return nil }
    let front = StripFront(graph)
    var strips = chosen
    if strips == nil { strips = front.strips(end: try end(front, graph)) }
    guard let strips else {
      throw MartletError(
        .unsupported, "the model has no front that could be divided by rows",
        context: ["model": graph.name],
        hint: "strips are for convolutions and what lies between them: leave --strips out")
    }
    return strips
  }

  private var chosen: Strips? {
    if case .chosen(let strips) = self { strips } else { nil }
  }

  private func end(_ front: StripFront, _ graph: Graph) throws(MartletError) -> Int {
    guard case .until(let name) = self else { return graph.nodes.count }
    if let index = graph.nodes.firstIndex(where: { $0.name == name }) { return index + 1 }
    let names = front.ends.map { graph.nodes[$0 - 1].name }
    throw MartletError(
      .notFound, "the model has no node \"\(name)\" for --strips",
      hint: names.isEmpty
        ? "leave --strips out: nothing can be divided by rows"

        : "none, all, auto, or one of " + names.joined(separator: ", "))
  }
}

extension Strips {
  /// In words, for a plan's method.
  func description(of graph: Graph) -> String {
    "strips to " + (nodes.last.map { graph.nodes[$0].name } ?? "")
  }
}
