package import Resilience
package import WireProtocol

extension WorkerCore {
  /// Limits on what may wait in a worker, and how long it waits for others.
  package struct Limits: Sendable {
    /// Frames being computed at once; each has an arena of its own.
    package var framesInFlight = 4
    /// Frames waiting to be begun. Beyond that the oldest is dropped whole.
    package var pendingFrames = 64
    /// Frames ahead of the current one whose parts are kept.
    package var framesAhead = 96
    /// Bytes of inputs and early parts kept for frames that have not begun. Beyond that frames are
    /// dropped whole, the oldest first; clients are asked to hold back at half of it.
    package var bytes = WaitingMemory.frames
    /// Bytes of early parts kept of one peer.
    package var bytesPerPeer = WaitingMemory.frames / 2
    /// Clients served at once; beyond that the one that was quiet longest is forgotten.
    package var clients = 16
    /// How long to wait for others' parts, from the moment one's own is ready.
    package var deadline = DeadlinePolicy.standard
    /// What is known of the plan's accuracy without some devices: what a part is worth waiting for.
    package var study: FailureTable?

    /// Whether parts are sent that nobody who takes part reads, for those who only look.
    package var publishesAll = false

    package init() {}
  }

  /// Counts since the start.
  package struct Counters: Sendable, Equatable {
    package var framesFinished: UInt64 = 0
    package var framesSkipped: UInt64 = 0
    package var framesDropped: UInt64 = 0
    package var fills: [String: UInt64] = [:]
    package var lastFrame: UInt64 = 0
  }

  /// Why a whole frame was dropped.
  package enum FrameDrop: String, Sendable {
    /// Its client no longer waits for it: this device has fallen behind.
    case overtaken
    /// Too much was waiting.
    case noRoom
    /// There was no memory for its program.
    case noMemory
    /// Its program could not be made for another reason: the shard lacks something, say.
    case noProgram
  }
}
