/// Names a frame: clients number their own.
public struct FrameKey: Hashable, Sendable {
  /// The client's id.
  public var client: String
  /// Its number of the frame.
  public var frame: UInt64

  /// Names a frame of a client.
  public init(client: String, frame: UInt64) {
    self.client = client
    self.frame = frame
  }
}
