package import Tensors

/// Decides whether a tensor message from the network is one of the parts that the plan expects.
package struct PartValidator: Sendable {
  /// A part that this receiver subscribes to.
  package struct ExpectedPart: Sendable, Equatable {
    /// The layer's topic id.
    package var layer: String
    /// The device's topic id.
    package var device: String
    /// The shape of the gathered value.
    package var shape: Shape
    /// The axis along which parts are cut.
    package var axis: Int
    /// The most channels along the axis; how many there are depends on who is there.
    package var maximumExtent: Int
    /// Whether a part without any channel may come: the null vector.
    package var mayBeNull: Bool

    /// The part of `layer` that `device` sends.
    package init(
      layer: String, device: String, shape: Shape, axis: Int, maximumExtent: Int,
      mayBeNull: Bool = false
    ) {
      self.layer = layer
      self.device = device
      self.shape = shape
      self.axis = axis
      self.maximumExtent = maximumExtent
      self.mayBeNull = mayBeNull
    }

    /// Whether a part may have this shape.
    func admits(_ other: Shape) -> Bool {
      guard other.rank == shape.rank, ((mayBeNull ? 0 : 1)...maximumExtent).contains(other[axis])
      else {
        return false
      }
      return other.replacing(axis: axis, with: shape[axis]) == shape
    }
  }

  private struct Key: Hashable {
    var layer: String
    var device: String
  }

  /// The id of the plan that all parts must be made under.
  package let plan: String
  /// The expected parts; `check` answers with an index into them.
  package let parts: [ExpectedPart]
  private let indices: [Key: Int]
  private let devices: Set<String>

  /// Expects exactly `parts`, made under `plan`. Of two entries for one layer and device the first
  /// counts.
  package init(plan: String, parts: [ExpectedPart]) {
    self.plan = plan
    self.parts = parts
    indices = Dictionary(
      parts.enumerated().map { (Key(layer: $1.layer, device: $1.device), $0) },
      uniquingKeysWith: { first, _ in first })
    devices = Set(parts.map(\.device))
  }

  /// The index in `parts` of the part that came, or why it is refused.
  ///
  /// - Parameters:
  ///   - header: the decoded header of the message.
  ///   - topic: the topic on which it came.
  ///   - epoch: the epoch of that device that is known, or nil.
  package func check(
    _ header: TensorHeader, on topic: Topic, knownEpoch epoch: (String) -> UInt64?
  ) -> Result<Int, RejectReason> {
    guard case .activation(let layer, let device) = topic else { return .failure(.unknownTopic) }
    guard header.layer == layer, header.device == device else { return .failure(.topicDisagrees) }
    guard devices.contains(device) else { return .failure(.unknownDevice) }
    guard let index = indices[Key(layer: layer, device: device)] else {
      return .failure(.unknownLayer)
    }
    guard header.plan == plan else { return .failure(.wrongPlan) }
    guard parts[index].admits(header.shape) else { return .failure(.wrongShape) }
    guard header.epoch >= epoch(device) ?? 0 else { return .failure(.staleEpoch) }
    return .success(index)
  }
}
