package import Foundations

/// Which peers work while none of their parts reaches the receiver.
///
/// A device sends its parts of a frame before the heartbeat that says that it has finished it, over one
/// connection, so that they come first. Where heartbeats go past frame after frame and no part comes,
/// it is not late: the broker does not let its parts through, or it does not send them. One that is
/// slow, stopped or cut off shows no such progress, and nothing is held against it here.
package struct DeliveryBook: Sendable {
  /// What has changed.
  package enum News: Sendable, Equatable {
    /// A peer's heartbeats have gone past so many frames, and nothing of it came.
    case keptBack(device: Int, frames: Int)
    /// Something of a peer that was held to be kept back has come.
    case comesAgain(device: Int)
  }

  /// Frames that a peer must have gone past without a part.
  static let frames = 5
  /// Heartbeats that must have said so: what was lost in one moment proves nothing.
  static let beats = 3
  /// Frames that are remembered of a peer whose heartbeats do not go past them.
  static let rememberedFrames = 64

  private struct Peer: Sendable {
    var epoch: UInt64 = 0
    /// The frame of its last heartbeat.
    var shown: UInt64 = 0
    /// Frames that ended without any part of it, and that it has not shown to have gone past.
    var lacked: [UInt64] = []
    var framesPassed = 0
    var beatsPassed = 0
    var lastPart: MonotonicTime?
    var isKeptBack = false

    mutating func forget() {
      lacked = []
      framesPassed = 0
      beatsPassed = 0
    }
  }

  private var peers: [Peer]
  private var news: [News] = []

  /// - Parameter devices: how many there are in the plan.
  package init(devices: Int) { peers = Array(repeating: Peer(), count: devices) }

  /// Whether nothing of a peer comes although it works.
  package func isKeptBack(_ device: Int) -> Bool {
    peers.indices.contains(device) && peers[device].isKeptBack
  }

  /// Peers of which nothing comes although they work.
  package var keptBack: Set<Int> { Set(peers.indices.filter { peers[$0].isKeptBack }) }

  /// How many frames a peer's heartbeats have gone past since something of it came.
  package func framesPassed(by device: Int) -> Int {
    peers.indices.contains(device) ? peers[device].framesPassed : 0
  }

  /// Something came on a topic of a peer's parts, whatever it was worth: the broker lets it through.
  package mutating func part(of device: Int, at now: MonotonicTime) {
    guard peers.indices.contains(device) else { return }
    peers[device].lastPart = now
    peers[device].forget()
    guard peers[device].isKeptBack else { return }
    peers[device].isKeptBack = false
    news.append(.comesAgain(device: device))
  }

  /// A frame that a peer takes part in has ended here.
  ///
  /// - Parameter start: since when a part of the frame could have come.
  package mutating func ended(_ frame: UInt64, with device: Int, since start: MonotonicTime) {
    guard peers.indices.contains(device) else { return }
    if let last = peers[device].lastPart, last >= start { return }
    if peers[device].lacked.count >= Self.rememberedFrames { peers[device].lacked.removeFirst() }
    peers[device].lacked.append(frame)
  }

  /// A heartbeat of a peer came.
  ///
  /// - Parameter frame: the frame that it has finished last. Where several clients are served, that is
  ///   now of one and now of the other: only a change says anything. Their parts come on the same
  ///   topics.
  package mutating func heartbeat(of device: Int, epoch: UInt64, frame: UInt64) {
    guard peers.indices.contains(device) else { return }
    guard epoch == peers[device].epoch else {
      // Another run may have other rights, and finish what the one before did not.
      let last = peers[device].lastPart
      peers[device] = Peer(epoch: epoch, shown: frame, lastPart: last)
      return
    }
    guard frame != peers[device].shown else { return }
    peers[device].shown = frame
    let before = peers[device].lacked.count
    peers[device].lacked.removeAll { $0 <= frame }
    let passed = before - peers[device].lacked.count
    guard passed > 0 else { return }
    peers[device].framesPassed += passed
    peers[device].beatsPassed += 1
    guard !peers[device].isKeptBack, peers[device].framesPassed >= Self.frames,
      peers[device].beatsPassed >= Self.beats
    else { return }
    peers[device].isKeptBack = true
    news.append(.keptBack(device: device, frames: peers[device].framesPassed))
  }

  /// The receiver's connection was lost, and parts with it: nobody kept those back.
  package mutating func connectionLost() {
    for device in peers.indices { peers[device].forget() }
  }

  /// What has changed since the last call.
  package mutating func takeNews() -> [News] {
    defer { news = [] }
    return news
  }
}
