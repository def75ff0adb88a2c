public import ModelGraph

/// What one device computes: its own graph, in which the exchanges are nodes.
///
/// The nodes are ordered by stage, with the exchanges that end a stage after its nodes. Constants are
/// described by slices of the model's; `Shards` supplies the elements.
public struct DeviceProgram: Sendable {
  /// A part that this device computes for an exchange.
  public struct Publication: Sendable, Hashable {
    /// Position in `Plan.exchanges`.
    public var exchange: Int
    /// The part, in `graph`. Always a graph output or an operand of the exchange's node.
    public var value: ValueID
    /// The node of `graph` that computes it.
    public var node: Int
  }

  /// An exchange whose gathered value this device needs.
  public struct Gathering: Sendable, Hashable {
    /// Position in `Plan.exchanges`.
    public var exchange: Int
    /// The `.exchange` node in `graph.nodes`.
    public var node: Int
    /// Where the parts go along the exchange's axis: entry i is the place of channel i, counted over
    /// the parts in device order. Nil when each part is one contiguous run in that order.
    public var destinations: [Int]?
  }

  /// The device's graph; `constants` is empty until a shard is loaded.
  public internal(set) var graph: Graph
  /// The stage of each node.
  public internal(set) var stages: [Int]
  /// The parts this device sends.
  public internal(set) var publications: [Publication]
  /// The exchanges this device gathers.
  public internal(set) var gatherings: [Gathering]
  /// Where each constant of `graph` comes from; keys are values of `graph`.
  public internal(set) var constants: [ValueID: ConstantSlice]
}
