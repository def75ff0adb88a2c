public import ModelGraph
public import TensorCore

/// What one device computes in frames with one attendance: its own graph, in which the exchanges are
/// nodes.
///
/// The nodes are ordered by stage, with the exchanges that end a stage after its nodes. Constants are
/// described by slices of the model's; the device's shard supplies the elements.
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

  /// One device's contribution to a gathered value.
  public struct Part: Sendable, Hashable {
    /// Channels that lie side by side in the part and in the gathered value.
    public struct Run: Sendable, Hashable {
      /// First channel in the part.
      public var source: Int
      /// First channel in the gathered value.
      public var target: Int
      /// Channels.
      public var count: Int

      /// Makes a run.
      public init(source: Int, target: Int, count: Int) {
        self.source = source
        self.target = target
        self.count = count
      }
    }

    /// What a part supplies of one slot.
    public struct Piece: Sendable, Hashable {
      /// Position in `Gathering.slots`.
      public var slot: Int
      /// Where its channels go.
      public var runs: [Run]
    }

    /// The device's number.
    public var device: Int
    /// The part's shape.
    public var shape: Shape
    /// Where its channels go, by slot; those in no run are not used.
    public var pieces: [Piece]
    /// Where its channels go.
    public var runs: [Run] { pieces.flatMap(\.runs) }
  }

  /// Channels of a gathered value that come from the same devices.
  public struct Slot: Sendable, Hashable {
    /// The devices that send them, the one whose copy is preferred first.
    public var candidates: [Int]
    /// Where they are in the gathered value.
    public var channels: [Range<Int>]

    /// How many there are.
    public var count: Int { channels.reduce(0) { $0 + $1.count } }
  }

  /// An exchange whose gathered value this device needs.
  public struct Gathering: Sendable, Hashable {
    /// Position in `Plan.exchanges`.
    public var exchange: Int
    /// The `.exchange` node in `graph.nodes`.
    public var node: Int
    /// The axis along which parts are cut.
    public var axis: Int
    /// What makes up the value, by ascending device. Lost neurons belong to their absent primary.
    public var parts: [Part]
    /// The value's channels by the devices that send them. Each device has its own, unless replicas
    /// are active.
    public var slots: [Slot]

    /// A device's part.
    public func part(of device: Int) -> Part? { parts.first { $0.device == device } }
  }

  /// The device's graph; its constants have no elements.
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
