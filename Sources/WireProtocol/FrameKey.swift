/// Names a frame: clients number their own.
package struct FrameKey: Hashable, Sendable {
  /// The client's id.
  package var client: String
  /// Its number of the frame.
  package var frame: UInt64

  /// Names a frame of a client.
  package init(client: String, frame: UInt64) {
    self.client = client
    self.frame = frame
  }
}
