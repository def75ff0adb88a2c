/// A network across edge, fog and cloud as its file describes it: physical nodes with their layers,
/// the hyperconnections between them, where the input enters, and how reliable the nodes are
/// (deepFogGuard, section 2). What a file says is checked by `FogDesign`.
package struct FogTopology: Sendable, Hashable, Codable {
  /// A part of each sample that enters as one vector or image.
  package struct Source: Sendable, Hashable, Codable {
    /// Unique among sources and nodes.
    package var name: String
    /// Its first column in a sample, all of whose elements are counted in row-major order.
    package var first: Int
    /// `[columns]`, or `[channels, height, width]` for an image.
    package var shape: [Int]

    /// Makes a source.
    package init(name: String, first: Int = 0, shape: [Int]) {
      self.name = name
      self.first = first
      self.shape = shape
    }
  }

  /// How near a node is to the sources.
  package enum Tier: String, Sendable, Hashable, Codable, CaseIterable {
    /// As named, from the sources upwards.
    case edge, fog, cloud
  }

  /// One physical node.
  package struct Node: Sendable, Hashable, Codable {
    /// `[a-z0-9_-]{1,32}`, unique.
    package var name: String
    /// Where it stands.
    package var tier: Tier
    /// What it computes, first to last.
    package var layers: [FogLayer]

    /// Makes a node.
    package init(name: String, tier: Tier, layers: [FogLayer]) {
      self.name = name
      self.tier = tier
      self.layers = layers
    }
  }

  /// A hyperconnection: the output of a source or node on its way to a node.
  package struct Connection: Sendable, Hashable, Codable {
    /// A 1x1 convolution that fits an image to another size, at the receiver.
    package struct Projection: Sendable, Hashable, Codable {
      /// Channels of its result.
      package var channels: Int
      /// Steps between the pixels that it takes.
      package var stride: Int

      /// Makes a projection.
      package init(channels: Int, stride: Int = 1) {
        self.channels = channels
        self.stride = stride
      }
    }

    /// The source or node that sends.
    package var from: String
    /// The node that receives.
    package var to: String
    /// Whether it skips a node, and is left out of the network that has no skip hyperconnections.
    package var skip: Bool
    /// What its elements are multiplied with.
    package var weight: Double
    /// How an image is made to fit; nil for none.
    package var projection: Projection?

    private enum CodingKeys: String, CodingKey { case from, to, skip, weight, projection }

    /// Makes a hyperconnection.
    package init(
      from: String, to: String, skip: Bool = false, weight: Double = 1,
      projection: Projection? = nil
    ) {
      self.from = from
      self.to = to
      self.skip = skip
      self.weight = weight
      self.projection = projection
    }

    /// Decodes a connection; `skip`, `weight` and `projection` may be left out.
    package init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      from = try container.decode(String.self, forKey: .from)
      to = try container.decode(String.self, forKey: .to)
      skip = try container.decodeIfPresent(Bool.self, forKey: .skip) ?? false
      weight = try container.decodeIfPresent(Double.self, forKey: .weight) ?? 1
      projection = try container.decodeIfPresent(Projection.self, forKey: .projection)
    }
  }

  /// Definition 2: the probability of each node to be there; one that is not named is always there.
  package struct Setting: Sendable, Hashable, Codable {
    /// Unique, such as `hazardous`.
    package var name: String
    /// Survival probability by node.
    package var survival: [String: Double]

    /// Makes a setting.
    package init(name: String, survival: [String: Double]) {
      self.name = name
      self.survival = survival
    }
  }

  /// The network's name.
  package var name: String
  /// The number of classes: the width of the cloud node's last layer.
  package var classes: Int
  /// Where samples enter.
  package var sources: [Source]
  /// The physical nodes; exactly one is of the tier `cloud`.
  package var nodes: [Node]
  /// The hyperconnections.
  package var connections: [Connection]
  /// Reliability settings, in the order in which they are shown.
  package var settings: [Setting]

  private enum CodingKeys: String, CodingKey {
    case name, classes, sources, nodes, connections, settings
  }

  /// Makes a topology.
  package init(
    name: String, classes: Int, sources: [Source], nodes: [Node], connections: [Connection],
    settings: [Setting] = []
  ) {
    self.name = name
    self.classes = classes
    self.sources = sources
    self.nodes = nodes
    self.connections = connections
    self.settings = settings
  }

  /// Decodes a topology; `settings` may be left out.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    name = try container.decode(String.self, forKey: .name)
    classes = try container.decode(Int.self, forKey: .classes)
    sources = try container.decode([Source].self, forKey: .sources)
    nodes = try container.decode([Node].self, forKey: .nodes)
    connections = try container.decode([Connection].self, forKey: .connections)
    settings = try container.decodeIfPresent([Setting].self, forKey: .settings) ?? []
  }

  /// The same network without skip hyperconnections: what the paper calls Vanilla.
  package var withoutSkips: FogTopology {
    var copy = self
    copy.connections.removeAll { $0.skip }
    return copy
  }

  /// The same network, each hyperconnection's weight multiplied with the survival probability of the
  /// node that it comes from.
  package func weighted(by setting: Setting) -> FogTopology {
    var copy = self
    for index in copy.connections.indices {
      copy.connections[index].weight *= setting.survival[copy.connections[index].from] ?? 1
    }
    return copy
  }
}
