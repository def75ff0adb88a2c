/// Holds parts that arrive before their frame is begun, within two bounds: how many frames ahead,
/// and how many bytes. When the bytes run out, whole frames go, the oldest first.
public struct FrameInbox<Part: Sendable>: Sendable {
  /// What became of a part.
  public enum Outcome: String, Sendable, CaseIterable {
    /// Kept until its frame is taken.
    case stored
    /// Its frame is the current one or an older one: not for the inbox.
    case notAhead
    /// Further ahead than allowed: garbage, or the receiver has fallen behind.
    case tooFarAhead
    /// There is no room for it, even without older frames.
    case full
  }

  /// How far beyond the current frame a part may be.
  public let maximumFramesAhead: UInt64
  /// The most bytes kept.
  public let maximumBytes: Int
  /// The frame being worked on; parts up to it are not kept.
  public private(set) var current: UInt64
  /// The bytes kept now.
  public private(set) var bytes = 0
  /// The parts kept now.
  public private(set) var count = 0
  /// Parts of whole frames that were dropped to make room, ever.
  public private(set) var dropped = 0
  private var frames: [UInt64: (parts: [Part], bytes: Int)] = [:]

  /// An empty inbox.
  public init(maximumFramesAhead: Int, maximumBytes: Int, current: UInt64 = 0) {
    self.maximumFramesAhead = UInt64(max(maximumFramesAhead, 0))
    self.maximumBytes = max(maximumBytes, 0)
    self.current = current
  }

  /// Keeps a part for later.
  ///
  /// - Parameter bytes: what the part costs in memory.
  public mutating func store(_ part: Part, frame: UInt64, bytes: Int) -> Outcome {
    guard frame > current else { return .notAhead }
    guard frame - current <= maximumFramesAhead else { return .tooFarAhead }
    let cost = max(bytes, 0)
    guard cost <= maximumBytes else { return .full }
    while cost > maximumBytes - self.bytes {
      guard let oldest = frames.keys.min(), oldest < frame else { return .full }
      dropped += remove(oldest)?.count ?? 0
    }
    frames[frame, default: ([], 0)].parts.append(part)
    frames[frame]?.bytes += cost
    self.bytes += cost
    count += 1
    return .stored
  }

  /// Makes `frame` the current one: gives its parts in order of arrival and drops those of frames
  /// that were passed over. Going back is allowed and gives nothing.
  public mutating func begin(frame: UInt64) -> [Part] {
    current = frame
    let parts = remove(frame) ?? []
    for old in frames.keys where old < frame { dropped += remove(old)?.count ?? 0 }
    return parts
  }

  private mutating func remove(_ frame: UInt64) -> [Part]? {
    guard let entry = frames.removeValue(forKey: frame) else { return nil }
    bytes -= entry.bytes
    count -= entry.parts.count
    return entry.parts
  }
}
