package import ModelGraph

/// A value of a graph whose channels can be removed, and the axis along which they lie.
package struct ChannelPoint: Sendable, Hashable {
  /// The value; some node computes it.
  package var value: ValueID
  /// The channel axis; not the batch's.
  package var axis: Int

  /// Names a value's channels.
  package init(value: ValueID, axis: Int) {
    self.value = value
    self.axis = axis
  }
}

/// Which channels are missing.
package struct Mask: Sendable, Hashable {
  /// The missing channels of each point, ascending.
  package var lost: [[Int]]
  /// What stands in for them: a position among the fills of a `MaskedExecution`.
  package var fill: Int
  /// What travelling does to the rest: a position among the roundings of a `MaskedExecution`.
  package var wire: Int

  /// Makes a mask.
  package init(lost: [[Int]], fill: Int = 0, wire: Int = 0) {
    self.lost = lost
    self.fill = fill
    self.wire = wire
  }

  /// Whether nothing is missing.
  package var isEmpty: Bool { lost.allSatisfy(\.isEmpty) }
}
