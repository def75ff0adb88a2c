package import ModelGraph
package import Tensors

/// What one device computes in frames with one attendance: its own graph, in which the exchanges are
/// nodes.
///
/// The nodes are ordered by stage, with the exchanges that end a stage after its nodes. Constants are
/// described by slices of the model's; the device's shard supplies the elements.
package struct DeviceProgram: Sendable {
  /// One device's side of an exchange: a part that it computes and sends.
  package struct Publication: Sendable, Hashable {
    /// Position in `Plan.exchanges`.
    package var exchange: Int
    /// The part, in `graph`. Always a graph output or an operand of the exchange's node.
    package var value: ValueID
    /// The node of `graph` that computes it.
    package var node: Int
  }

  /// One device's contribution to a gathered value.
  package struct Part: Sendable, Hashable {
    /// Channels that lie side by side in the part and in the gathered value.
    package struct Run: Sendable, Hashable {
      /// First channel in the part.
      package var source: Int
      /// First channel in the gathered value.
      package var target: Int
      /// Channels.
      package var count: Int

      /// Makes a run.
      package init(source: Int, target: Int, count: Int) {
        self.source = source
        self.target = target
        self.count = count
      }
    }

    /// What a part supplies of one slot.
    package struct Piece: Sendable, Hashable {
      /// Position in `Gathering.slots`.
      package var slot: Int
      /// Where its channels go.
      package var runs: [Run]
    }

    /// The device's number.
    package var device: Int
    /// The part's shape.
    package var shape: Shape
    /// Where its channels go, by slot; those in no run are not used.
    package var pieces: [Piece]
    /// Where its channels go.
    package var runs: [Run] { pieces.flatMap(\.runs) }
  }

  /// Channels of a gathered value that come from the same devices.
  package struct Slot: Sendable, Hashable {
    /// The devices that send them, the one whose copy is preferred first.
    package var candidates: [Int]
    /// Where they are in the gathered value.
    package var channels: [Range<Int>]

    /// How many there are.
    package var count: Int { channels.reduce(0) { $0 + $1.count } }
  }

  /// One device's side of an exchange whose value it needs: what it takes from whom.
  package struct Gathering: Sendable, Hashable {
    /// Position in `Plan.exchanges`.
    package var exchange: Int
    /// The `.exchange` node in `graph.nodes`.
    package var node: Int
    /// The axis along which parts are cut.
    package var axis: Int
    /// What makes up the value, by ascending device. Lost neurons belong to their absent primary.
    package var parts: [Part]
    /// The value's channels by the devices that send them. Each device has its own, unless replicas
    /// are active.
    package var slots: [Slot]

    /// A device's part.
    package func part(of device: Int) -> Part? { parts.first { $0.device == device } }
  }

  /// The device's graph; its constants have no elements.
  package internal(set) var graph: Graph
  /// The parts this device sends.
  package internal(set) var publications: [Publication]
  /// The exchanges this device gathers.
  package internal(set) var gatherings: [Gathering]
  /// Where each constant of `graph` comes from; keys are values of `graph`.
  package internal(set) var constants: [ValueID: ConstantSlice]
}
