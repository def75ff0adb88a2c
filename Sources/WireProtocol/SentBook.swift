/// What peers have sent for the frames that somebody waits for: a part that has left its device and is
/// not here is lost, however long it is waited for, and whatever moves meanwhile.
///
/// That follows from the order of messages. A device publishes all that it sends over one connection, and
/// tensors there in the order in which they were computed: within a lane nothing overtakes (`BulkLane`),
/// all pieces of a part follow one another, and where one message is delayed, those behind it are as well.
/// The broker reads that connection from its beginning to its end, and gives each receiver its messages in
/// the order in which it got them. So there are two ways to know that a part was sent before something that
/// has come:
///
/// - A heartbeat says how far its device has come with a frame (`SentMark`). It may overtake tensors, and
///   therefore names only what has been written to the connection before it.
/// - A part of a later stage of the *same frame* has come, whole. A device works through the stages of a
///   frame one after the other. Of different frames nothing follows: with several under way, a later one
///   overtakes an earlier one that waits for somebody whom the later one does not count on. Nor where a plan's
///   programs differ in what they wait for: halos of rows, blocks of nodes, and parity; see
///   `Plan.sendsInStages`.
///
/// MQTT itself promises an order only for each topic (5.0, section 4.6): a broker of several machines may use
/// that, and heartbeats may take another bridge between brokers than parts do. So what is lost by this book is
/// still waited for a moment (`Boundary.hasSent`), and a device of which a part comes after it should have come
/// is believed no more.
package struct SentBook: Sendable {
  /// Frames that are remembered of each device; the oldest are forgotten.
  static let rememberedFrames = 128

  /// Parts that were given up as lost are remembered up to so many.
  static let rememberedLosses = 64

  private struct Loss: Sendable, Equatable {
    var key: FrameKey
    var exchange: Int
    var device: Int
  }

  private struct Device: Sendable {
    var reached: [FrameKey: Int] = [:]
    /// The keys of `reached`, the oldest first.
    var order: [FrameKey] = []
    /// Whether it says what it sends.
    var speaks = false
    /// Whether its messages come in another order than it sent them.
    var isDisordered = false
  }

  private var devices: [Device]
  /// The newest last.
  private var losses: [Loss] = []

  /// Nothing is known.
  ///
  /// - Parameter devices: how many there are in the plan.
  package init(devices: Int) { self.devices = Array(repeating: Device(), count: devices) }

  /// All that a device sends for a frame in earlier stages has left it.
  ///
  /// - Parameter isSaid: whether the device says so, rather than that it follows from a part.
  /// - Returns: whether that is news.
  @discardableResult
  package mutating func sent(_ mark: SentMark, by device: Int, isSaid: Bool = true) -> Bool {
    guard devices.indices.contains(device) else { return false }
    if isSaid { devices[device].speaks = true }
    if let known = devices[device].reached[mark.key] {
      guard mark.stage > known else { return false }
    } else {
      if devices[device].order.count >= Self.rememberedFrames {
        devices[device].reached[devices[device].order.removeFirst()] = nil
      }
      devices[device].order.append(mark.key)
    }
    devices[device].reached[mark.key] = mark.stage
    return true
  }

  /// The first stage of a frame of which it is not known that a device has sent all; nil where nothing is.
  package func reached(_ key: FrameKey, by device: Int) -> Int? {
    guard devices.indices.contains(device), !devices[device].isDisordered else { return nil }
    return devices[device].reached[key]
  }

  /// A part was given up as lost.
  package mutating func lost(_ exchange: Int, of key: FrameKey, from device: Int) {
    if losses.count >= Self.rememberedLosses { losses.removeFirst() }
    losses.append(Loss(key: key, exchange: exchange, device: device))
  }

  /// A part came.
  ///
  /// - Parameters:
  ///   - stage: of its exchange; nil for one that happens only when some are missing.
  ///   - isUsed: whether it was waited for; false for repetitions.
  package mutating func came(
    _ exchange: Int, stage: Int?, of key: FrameKey, from device: Int, isUsed: Bool
  ) {
    guard devices.indices.contains(device) else { return }
    let wasLost = losses.contains(Loss(key: key, exchange: exchange, device: device))
    if wasLost || (isUsed && hasLeft(stage, of: key, from: device)) {
      devices[device].isDisordered = true
    }
  }

  /// Whether a device says what it has sent, so that it will be known if a part of it got lost.
  package func speaks(_ device: Int) -> Bool {
    devices.indices.contains(device) && devices[device].speaks && !devices[device].isDisordered
  }

  /// Whether a part has left its device, as far as is known.
  ///
  /// - Parameter stage: of its exchange; nil for one that happens only when some are missing.
  package func hasLeft(_ stage: Int?, of key: FrameKey, from device: Int) -> Bool {
    guard let stage, let reached = reached(key, by: device) else { return false }
    return stage < reached
  }
}
