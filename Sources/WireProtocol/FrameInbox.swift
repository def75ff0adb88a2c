/// Holds parts that arrive before their frame is begun, within bounds: how many frames ahead of each
/// client's current one, how many bytes in all and how many of each peer. When the bytes run out,
/// whole frames of that client go, the oldest first.
package struct FrameInbox<Part: Sendable>: Sendable {
  /// What became of a part.
  package enum Outcome: String, Sendable, CaseIterable {
    /// Kept until its frame is taken.
    case stored
    /// Its frame is the current one or an older one, or its client unknown: not for the inbox.
    case notAhead
    /// Further ahead than allowed: garbage, or the receiver has fallen behind.
    case tooFarAhead
    /// There is no room for it, even without older frames.
    case full
  }

  /// The bounds.
  package struct Limits: Sendable {
    /// How far beyond the current frame a part may be.
    package var framesAhead: Int
    /// The most bytes kept.
    package var bytes: Int
    /// The most bytes kept of one peer.
    package var bytesPerPeer: Int

    /// Bounds.
    package init(framesAhead: Int, bytes: Int, bytesPerPeer: Int? = nil) {
      self.framesAhead = max(framesAhead, 0)
      self.bytes = max(bytes, 0)
      self.bytesPerPeer = max(bytesPerPeer ?? bytes, 0)
    }
  }

  private struct Entry: Sendable {
    var part: Part
    var peer: Int
    var bytes: Int
  }

  private struct Window: Sendable {
    var current: UInt64
    var frames: [UInt64: [Entry]] = [:]
  }

  /// The bounds.
  package let limits: Limits
  /// The bytes kept now.
  package private(set) var bytes = 0
  /// The parts kept now.
  package private(set) var count = 0
  /// Parts of whole frames that were dropped to make room, ever.
  package private(set) var dropped = 0
  private var peers: [Int: Int] = [:]
  private var windows: [String: Window] = [:]

  /// An empty inbox.
  package init(limits: Limits) { self.limits = limits }

  /// The bytes kept of one peer.
  package func bytes(of peer: Int) -> Int { peers[peer] ?? 0 }

  /// The most bytes kept of any peer.
  package var largestPeer: Int { peers.values.max() ?? 0 }

  /// Whether a part of a frame would be for the inbox, room permitting.
  package func isAhead(_ key: FrameKey) -> Bool {
    guard let window = windows[key.client], key.frame > window.current else { return false }
    return key.frame - window.current <= UInt64(limits.framesAhead)
  }

  /// Begins to serve a client, if it is not served yet.
  ///
  /// - Parameter frame: the client's current one; parts up to it are not kept.
  package mutating func open(_ client: String, at frame: UInt64) {
    if windows[client] == nil { windows[client] = Window(current: frame) }
  }

  /// Forgets a client and its parts.
  package mutating func close(_ client: String) {
    for frame in windows[client]?.frames.keys.map({ $0 }) ?? [] { drop(frame, of: client) }
    windows[client] = nil
  }

  /// Keeps a part for later.
  ///
  /// - Parameters:
  ///   - peer: who sent it.
  ///   - bytes: what the part costs in memory.
  package mutating func store(
    _ part: Part, of key: FrameKey, from peer: Int, bytes: Int
  ) -> Outcome {
    guard let window = windows[key.client], key.frame > window.current else { return .notAhead }
    guard isAhead(key) else { return .tooFarAhead }
    let cost = max(bytes, 0)
    guard cost <= min(limits.bytes, limits.bytesPerPeer) else { return .full }
    while cost > limits.bytes - self.bytes || cost > limits.bytesPerPeer - self.bytes(of: peer) {
      guard let oldest = windows[key.client]?.frames.keys.min(), oldest < key.frame else {
        return .full
      }
      drop(oldest, of: key.client)
    }
    windows[key.client]?.frames[key.frame, default: []].append(
      Entry(part: part, peer: peer, bytes: cost))
    peers[peer, default: 0] += cost
    self.bytes += cost
    count += 1
    return .stored
  }

  /// Makes a frame its client's current one: gives its parts in order of arrival and drops those of
  /// frames that were passed over. Going back is allowed and gives nothing.
  package mutating func begin(_ key: FrameKey) -> [Part] {
    let parts = remove(key.frame, of: key.client).map(\.part)
    advance(key.client, to: key.frame, orBack: true)
    return parts
  }

  /// Drops the parts of a client's frames up to one, which becomes the current one unless a later one
  /// is.
  package mutating func skip(_ client: String, to frame: UInt64) {
    advance(client, to: frame, orBack: false)
  }

  private mutating func advance(_ client: String, to frame: UInt64, orBack: Bool) {
    guard let window = windows[client], orBack || frame > window.current else { return }
    windows[client]?.current = frame
    for old in window.frames.keys where old < frame || (!orBack && old == frame) {
      drop(old, of: client)
    }
  }

  private mutating func drop(_ frame: UInt64, of client: String) {
    dropped += remove(frame, of: client).count
  }

  private mutating func remove(_ frame: UInt64, of client: String) -> [Entry] {
    guard let entries = windows[client]?.frames.removeValue(forKey: frame) else { return [] }
    for entry in entries {
      bytes -= entry.bytes
      peers[entry.peer, default: 0] -= entry.bytes
    }
    count -= entries.count
    return entries
  }
}
