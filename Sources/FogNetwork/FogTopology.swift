/// A network across edge, fog and cloud as its file describes it: physical nodes with their layers,
/// the hyperconnections between them, where the input enters, and how reliable the nodes are
/// (deepFogGuard, section 2). What a file says is checked by `FogDesign`.
public struct FogTopology: Sendable, Hashable, Codable {
  /// A part of each sample that enters as one vector or image.
  public struct Source: Sendable, Hashable, Codable {
    /// Unique among sources and nodes.
    public var name: String
    /// Its first column in a sample, all of whose elements are counted in row-major order.
    public var first: Int
    /// `[columns]`, or `[channels, height, width]` for an image.
    public var shape: [Int]

    /// Makes a source.
    public init(name: String, first: Int = 0, shape: [Int]) {
      self.name = name
      self.first = first
      self.shape = shape
    }
  }

  /// How near a node is to the sources.
  public enum Tier: String, Sendable, Hashable, Codable, CaseIterable {
    /// As named, from the sources upwards.
    case edge, fog, cloud
  }

  /// One physical node.
  public struct Node: Sendable, Hashable, Codable {
    /// `[a-z0-9_-]{1,32}`, unique.
    public var name: String
    /// Where it stands.
    public var tier: Tier
    /// What it computes, first to last.
    public var layers: [FogLayer]

    /// Makes a node.
    public init(name: String, tier: Tier, layers: [FogLayer]) {
      self.name = name
      self.tier = tier
      self.layers = layers
    }
  }

  /// A hyperconnection: the output of a source or node on its way to a node.
  public struct Connection: Sendable, Hashable, Codable {
    /// A 1x1 convolution that fits an image to another size, at the receiver.
    public struct Projection: Sendable, Hashable, Codable {
      /// Channels of its result.
      public var channels: Int
      /// Steps between the pixels that it takes.
      public var stride: Int

      /// Makes a projection.
      public init(channels: Int, stride: Int = 1) {
        self.channels = channels
        self.stride = stride
      }
    }

    /// The source or node that sends.
    public var from: String
    /// The node that receives.
    public var to: String
    /// Whether it skips a node, and is left out of the network that has no skip hyperconnections.
    public var skip: Bool
    /// What its elements are multiplied with.
    public var weight: Double
    /// How an image is made to fit; nil for none.
    public var projection: Projection?

    private enum CodingKeys: String, CodingKey { case from, to, skip, weight, projection }

    /// Makes a hyperconnection.
    public init(
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
    public init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      from = try container.decode(String.self, forKey: .from)
      to = try container.decode(String.self, forKey: .to)
      skip = try container.decodeIfPresent(Bool.self, forKey: .skip) ?? false
      weight = try container.decodeIfPresent(Double.self, forKey: .weight) ?? 1
      projection = try container.decodeIfPresent(Projection.self, forKey: .projection)
    }
  }

  /// Definition 2: the probability of each node to be there; one that is not named is always there.
  public struct Setting: Sendable, Hashable, Codable {
    /// Unique, such as `hazardous`.
    public var name: String
    /// Survival probability by node.
    public var survival: [String: Double]

    /// Makes a setting.
    public init(name: String, survival: [String: Double]) {
      self.name = name
      self.survival = survival
    }
  }

  /// The network's name.
  public var name: String
  /// The number of classes: the width of the cloud node's last layer.
  public var classes: Int
  /// Where samples enter.
  public var sources: [Source]
  /// The physical nodes; exactly one is of the tier `cloud`.
  public var nodes: [Node]
  /// The hyperconnections.
  public var connections: [Connection]
  /// Reliability settings, in the order in which they are shown.
  public var settings: [Setting]

  private enum CodingKeys: String, CodingKey {
    case name, classes, sources, nodes, connections, settings
  }

  /// Makes a topology.
  public init(
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
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    name = try container.decode(String.self, forKey: .name)
    classes = try container.decode(Int.self, forKey: .classes)
    sources = try container.decode([Source].self, forKey: .sources)
    nodes = try container.decode([Node].self, forKey: .nodes)
    connections = try container.decode([Connection].self, forKey: .connections)
    settings = try container.decodeIfPresent([Setting].self, forKey: .settings) ?? []
  }

  /// The same network without skip hyperconnections: what the paper calls Vanilla.
  public var withoutSkips: FogTopology {
    var copy = self
    copy.connections.removeAll { $0.skip }
    return copy
  }

  /// The same network, each hyperconnection's weight multiplied with the survival probability of the
  /// node that it comes from.
  public func weighted(by setting: Setting) -> FogTopology {
    var copy = self
    for index in copy.connections.indices {
      copy.connections[index].weight *= setting.survival[copy.connections[index].from] ?? 1
    }
    return copy
  }
}
