public import ModelGraph

/// A value of a graph whose channels can be removed, and the axis along which they lie.
public struct ChannelPoint: Sendable, Hashable {
  /// The value; some node computes it.
  public var value: ValueID
  /// The channel axis; not the batch's.
  public var axis: Int

  /// Names a value's channels.
  public init(value: ValueID, axis: Int) {
    self.value = value
    self.axis = axis
  }
}

/// Which channels are missing.
public struct Mask: Sendable, Hashable {
  /// The missing channels of each point, ascending.
  public var lost: [[Int]]
  /// What stands in for them: a position among the fills of a `MaskedExecution`.
  public var fill: Int

  /// Makes a mask.
  public init(lost: [[Int]], fill: Int = 0) {
    self.lost = lost
    self.fill = fill
  }

  /// Whether nothing is missing.
  public var isEmpty: Bool { lost.allSatisfy(\.isEmpty) }
}

/// What stands in for a missing channel.
public enum ChannelFill: Sendable, Hashable {
  /// Zero.
  case zero
  /// A number for each channel of each point, such as its mean over calibration images.
  case constants([[Float]])
}
