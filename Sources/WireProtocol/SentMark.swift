import Foundations

/// How far a device has come with what it sends for one frame.
///
/// In heartbeats it is a text, `<client>:<frame>:<stage>`.
package struct SentMark: Sendable, Hashable {
  /// The frame.
  package var key: FrameKey
  /// All that it sends in stages before this one, counted as the plan counts them, has left it.
  package var stage: Int

  /// The highest stage that is believed.
  static let largestStage = 1 << 20
  /// The stage of a frame for which nothing is left to be sent.
  package static let end = largestStage

  /// A mark; a higher stage than `end` is `end`.
  package init(_ key: FrameKey, stage: Int) {
    self.key = key
    self.stage = min(max(stage, 0), Self.end)
  }

  /// Reads `text`; nil for anything else.
  package init?(text: String) {
    let fields = text.split(separator: ":", omittingEmptySubsequences: false)
    guard fields.count == 3, Identifier.isValid(fields[0]), let frame = UInt64(fields[1]),
      frame <= Epoch.maximum, let stage = Int(fields[2]), (0...Self.end).contains(stage)
    else { return nil }
    self.init(FrameKey(client: String(fields[0]), frame: frame), stage: stage)
  }

  /// Client, frame and stage, with colons between.
  package var text: String { "\(key.client):\(key.frame):\(stage)" }
}
