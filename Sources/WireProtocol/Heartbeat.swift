package import Foundations

/// A device's regular sign of life. Topic `heartbeat/<device>`.
package struct Heartbeat: WireMessage, Equatable {
  /// The epoch of the run.
  package var epoch: UInt64
  /// Counts the beats of this run from 1.
  package var sequence: UInt64
  /// The frame that the device has finished last, of whichever client: all its parts were sent before
  /// this. 0 before the first.
  package var frame: UInt64
  /// Frames that wait for it.
  package var queue: Int
  /// Its resident memory in bytes.
  package var residentBytes: UInt64
  /// Whether clients should hold back new frames, because too much is waiting here already.
  package var isFull: Bool { full ?? false }
  private var full: Bool?
  /// Within how many milliseconds the next beat follows: sooner while there is work than in idleness.
  /// Nil from devices that do not say.
  package var nextMilliseconds: Int?
  /// The bytes of tensors that it has received and sent, since it began. Nil from devices that do not say.
  package var movedBytes: UInt64?
  /// How far it has come with what it sends, for the frames with which it came further lately; none from
  /// devices that do not say.
  package var sent: [SentMark] { (sentTexts ?? []).compactMap(SentMark.init(text:)) }
  private var sentTexts: [String]?

  /// One beat.
  package init(
    epoch: UInt64, sequence: UInt64, frame: UInt64, queue: Int, residentBytes: UInt64,
    isFull: Bool = false, nextMilliseconds: Int? = nil,
    movedBytes: UInt64? = nil, sent: [SentMark] = []
  ) {
    self.epoch = epoch
    self.sequence = sequence
    self.frame = frame
    self.queue = queue
    self.residentBytes = residentBytes
    full = isFull ? true : nil
    self.nextMilliseconds = nextMilliseconds
    self.movedBytes = movedBytes
    sentTexts = sent.isEmpty ? nil : sent.map(\.text)
  }

  /// The promise as `Liveness` takes it.
  package var promise: UInt64? { nextMilliseconds.map { UInt64(max($0, 0)) } }

  /// The longest time between two beats of a device that has work, in milliseconds.
  package static let busyMilliseconds = 100

  /// The most frames that one beat speaks of: with the longest names, half of the bytes that it may have.
  package static let sentFrames = 32

  /// The most bytes of a payload.
  package static let maximumBytes = 4096

  /// Checks ranges and lengths; see `WireMessage`.
  package func check() throws(MartletError) {
    try Field.require(epoch > 0, "epoch", "\(epoch)")
    try Field.number(epoch, "epoch")
    try Field.number(sequence, "seq")
    try Field.number(frame, "frame")
    try Field.count(queue, "queue", atMost: 1 << 30)
    try Field.number(residentBytes, "rss_bytes")
    if let movedBytes { try Field.number(movedBytes, "moved_bytes") }
    if let sentTexts {
      try Field.count(sentTexts.count, "sent", atMost: Self.sentFrames)
      for text in sentTexts {
        try Field.require(SentMark(text: text) != nil, "sent", text)
      }
    }
    if let nextMilliseconds {
      try Field.require(
        (1...120_000).contains(nextMilliseconds), "next_ms", "\(nextMilliseconds)")
    }
  }

  enum CodingKeys: String, CodingKey {
    case epoch
    case sequence = "seq"
    case frame, queue
    case residentBytes = "rss_bytes"
    case full
    case nextMilliseconds = "next_ms"
    case movedBytes = "moved_bytes"
    case sentTexts = "sent"
  }
}
