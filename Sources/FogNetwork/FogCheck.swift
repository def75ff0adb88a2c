import Foundations
import Tensors

/// What can be wrong with a topology, one check each.
enum FogCheck {
  static func names(_ topology: FogTopology) throws(MartletError) {
    guard (1...FogDesign.maximumNodes).contains(topology.nodes.count),
      (1...1024).contains(topology.sources.count), topology.connections.count <= 65536,
      topology.settings.count <= 64
    else {
      throw MartletError(
        .invalidArgument,
        "a topology has 1 to \(FogDesign.maximumNodes) nodes and 1 to 1024 sources",
        context: ["nodes": "\(topology.nodes.count)", "sources": "\(topology.sources.count)"])
    }
    guard (2...65536).contains(topology.classes) else {
      throw MartletError(
        .invalidArgument, "a topology needs 2 to 65536 classes",
        context: ["classes": "\(topology.classes)"])
    }
    var taken: Set<String> = []
    for name in topology.sources.map(\.name) + topology.nodes.map(\.name) {
      try Identifier.check(name, what: "node")
      guard taken.insert(name).inserted else {
        throw MartletError(
          .invalidArgument, "two sources or nodes have one name", context: ["name": name])
      }
    }
    let nodes = Set(topology.nodes.map(\.name))
    var pairs: Set<[String]> = []
    for connection in topology.connections {
      for name in [connection.from, connection.to] where !taken.contains(name) {
        throw MartletError(
          .notFound, "a hyperconnection names a node that is not there",
          context: ["from": connection.from, "to": connection.to, "unknown": name])
      }
      guard nodes.contains(connection.to) else {
        throw MartletError(
          .invalidArgument, "a hyperconnection cannot lead to a source",
          context: ["from": connection.from, "to": connection.to])
      }
      guard pairs.insert([connection.from, connection.to]).inserted else {
        throw MartletError(
          .invalidArgument, "a hyperconnection stands twice",
          context: ["from": connection.from, "to": connection.to])
      }
      guard connection.weight.isFinite else {
        throw MartletError(
          .invalidArgument, "a hyperconnection's weight must be a finite number",
          context: ["from": connection.from, "to": connection.to])
      }
    }
    for node in topology.nodes where node.layers.isEmpty {
      throw MartletError(.invalidArgument, "a node has no layers", context: ["node": node.name])
    }
  }

  static func settings(_ topology: FogTopology) throws(MartletError) {
    let tiers = Dictionary(uniqueKeysWithValues: topology.nodes.map { ($0.name, $0.tier) })
    var taken: Set<String> = []
    for setting in topology.settings {
      guard taken.insert(setting.name).inserted else {
        throw MartletError(
          .invalidArgument, "two reliability settings have one name",
          context: ["setting": setting.name])
      }
      for (name, value) in setting.survival.sorted(by: { $0.key < $1.key }) {
        guard let tier = tiers[name] else {
          throw MartletError(
            .notFound, "a reliability setting names a node that is not there",
            context: ["setting": setting.name, "node": name])
        }
        guard (0...1).contains(value) else {
          throw MartletError(
            .invalidArgument, "a survival probability must be from 0 to 1",
            context: ["setting": setting.name, "node": name, "probability": "\(value)"])
        }
        guard tier != .cloud || value == 1 else {
          throw MartletError(
            .invalidArgument, "the cloud never fails: leave it out of the settings",
            context: ["setting": setting.name, "node": name])
        }
      }
    }
  }

  /// Returns the elements of a sample.
  static func sources(_ topology: FogTopology) throws(MartletError) -> Int {
    var end = 0
    for source in topology.sources {
      let shape: Shape
      do {
        shape = try Shape(checking: source.shape)
      } catch {
        throw error.adding("source", source.name)
      }
      guard [1, 3].contains(shape.rank), shape.count > 0, (0...(1 << 28)).contains(source.first),
        shape.count <= 1 << 28
      else {
        throw MartletError(
          .invalidShape, "a source is [columns] or [channels, height, width], none of them 0",
          context: ["source": source.name, "shape": "\(shape)", "first": "\(source.first)"])
      }
      end = max(end, source.first + shape.count)
    }
    return end
  }

  static func cloud(_ topology: FogTopology) throws(MartletError) -> Int {
    let clouds = topology.nodes.indices.filter { topology.nodes[$0].tier == .cloud }
    guard clouds.count == 1 else {
      throw MartletError(
        .invalidArgument, "exactly one node must be of the tier cloud: it answers",
        context: ["cloud": clouds.map { topology.nodes[$0].name }.joined(separator: ", ")])
    }
    return clouds[0]
  }

  /// The nodes, each after all that it hears from.
  static func order(_ topology: FogTopology) throws(MartletError) -> [Int] {
    var placed: Set<String> = Set(topology.sources.map(\.name))
    var order: [Int] = []
    var waiting = Array(topology.nodes.indices)
    while !waiting.isEmpty {
      let ready = waiting.filter { node in
        topology.connections.allSatisfy {
          $0.to != topology.nodes[node].name || placed.contains($0.from)
        }
      }
      guard !ready.isEmpty else {
        throw MartletError(
          .invalidArgument, "the hyperconnections go round in a circle",
          context: ["nodes": waiting.map { topology.nodes[$0].name }.joined(separator: ", ")])
      }
      order += ready
      placed.formUnion(ready.map { topology.nodes[$0].name })
      waiting.removeAll { ready.contains($0) }
    }
    // The cloud hears from everybody, so it comes last once that is checked.
    return order
  }

  /// Everybody hears something, and the cloud hears of everybody.
  static func flow(_ topology: FogTopology, cloud: String) throws(MartletError) {
    for node in topology.nodes where !topology.connections.contains(where: { $0.to == node.name }) {
      throw MartletError(
        .invalidArgument, "no hyperconnection leads to a node", context: ["node": node.name])
    }
    var reaches: Set<String> = [cloud]
    var grew = true
    while grew {
      grew = false
      for connection in topology.connections
      where reaches.contains(connection.to) && reaches.insert(connection.from).inserted {
        grew = true
      }
    }
    for name in topology.sources.map(\.name) + topology.nodes.map(\.name)
    where !reaches.contains(name) {
      throw MartletError(
        .invalidArgument, "nothing leads from a node or source to the cloud",
        context: ["name": name, "cloud": cloud])
    }
    if let connection = topology.connections.first(where: { $0.from == cloud }) {
      throw MartletError(
        .invalidArgument, "the cloud is the end: no hyperconnection leads away from it",
        context: ["from": connection.from, "to": connection.to])
    }
  }
}
