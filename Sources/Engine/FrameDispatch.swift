package import Foundations
package import WireProtocol

/// Which device each frame goes to where every device can answer alone; see `Plan.dispatchesFrames`.
/// Knows neither sockets nor clocks.
///
/// A frame goes where it should be done first: to the device with the smallest product of its frames
/// under way, this one included, and the time that it takes for one. So slower devices get fewer. A
/// device works through its frames one after the other, and the time for one is a moving average of the
/// times from its sending, or from its device's last answer if that was later, to its answer; frames of
/// other clients lengthen it as a slower processor would.
package struct FrameDispatch: Sendable {
  private struct Device: Sendable {
    var underWay: [(key: FrameKey, sent: MonotonicTime)] = []
    /// Nanoseconds that a frame takes; nil until one was answered.
    var service: Double?
    var lastAnswer = MonotonicTime.zero
    /// When the first frame was sent that was given up and may yet be answered.
    var givenUp: MonotonicTime?
    /// Which of all frames was its last.
    var lastChosen: UInt64 = 0
    /// Frames there of all clients, by its last heartbeat.
    var queue = 0
    var probe: (due: MonotonicTime, pause: UInt64)?
  }

  /// Frames under way at a device of which no answer has come yet.
  static let unknown = 2
  /// The weight of the newest time in the average.
  static let newest = 0.25
  /// What is left of an idle device's time with each frame that goes elsewhere: whoever was slow once is
  /// tried again.
  static let ageing = 0.97
  /// Nanoseconds until a suspect is tried the first time; the pause doubles each time.
  static let firstPause: UInt64 = 1_000_000_000
  /// The longest pause.
  static let longestPause: UInt64 = 30_000_000_000

  private var devices: [Device]
  private let patience: Double
  private var frames: UInt64 = 0

  /// No frames yet.
  ///
  /// - Parameters:
  ///   - devices: how many there are.
  ///   - frameLimit: nanoseconds after which a frame is given up. No device gets more frames than it
  ///     answers in half of that.
  package init(devices: Int, frameLimit: UInt64) {
    self.devices = Array(repeating: Device(), count: devices)
    patience = Double(frameLimit) / 2
  }

  /// The device that should get the next frame; nil while all have enough to do.
  ///
  /// - Parameters:
  ///   - ready: who may be chosen, by device.
  ///   - isUrgent: whether somebody must be chosen, however much there is to do.
  package func choose(among ready: [Bool], isUrgent: Bool = false) -> Int? {
    let candidates = devices.indices.filter {
      ready[$0] && (isUrgent || hasRoom(devices[$0]))
    }
    let least = candidates.lazy.compactMap { devices[$0].service }.min() ?? 1
    func rank(_ number: Int) -> (Double, Double, Int, UInt64) {
      let device = devices[number]
      let service = device.service ?? least
      return (
        Double(device.underWay.count + 1) * service, service, device.queue, device.lastChosen
      )
    }
    return candidates.min { rank($0) < rank($1) }
  }

  private func hasRoom(_ device: Device) -> Bool {
    guard !device.underWay.isEmpty else { return true }
    guard let service = device.service else { return device.underWay.count < Self.unknown }
    return Double(device.underWay.count + 1) * service <= patience
  }

  /// A frame was sent.
  package mutating func began(_ key: FrameKey, on number: Int, at now: MonotonicTime) {
    frames += 1
    for other in devices.indices where other != number && devices[other].underWay.isEmpty {
      devices[other].service? *= Self.ageing
    }
    devices[number].lastChosen = frames
    devices[number].underWay.append((key, now))
  }

  /// An answer came, of a frame under way or of one that was given up.
  package mutating func answered(_ key: FrameKey, by number: Int, at now: MonotonicTime) {
    let device = devices[number]
    let place = device.underWay.firstIndex { $0.key == key }
    if let sent = place.map({ device.underWay[$0].sent }) ?? device.givenUp {
      let time = Double(now.nanoseconds(since: max(sent, device.lastAnswer)))
      devices[number].service =
        device.service.map { $0 + (time - $0) * Self.newest } ?? time
    }
    if let place { devices[number].underWay.remove(at: place) }
    devices[number].givenUp = nil
    devices[number].lastAnswer = now
  }

  /// A frame has ended; unless it was answered, it is sent again, or nobody waits for it any more.
  package mutating func ended(_ key: FrameKey) {
    for number in devices.indices {
      guard let place = devices[number].underWay.firstIndex(where: { $0.key == key }) else {
        continue
      }
      let sent = devices[number].underWay.remove(at: place).sent
      devices[number].givenUp = devices[number].givenUp ?? sent
    }
  }

  /// A device told how many frames it has.
  package mutating func told(_ queue: Int, by number: Int) { devices[number].queue = queue }

  /// A suspect to try: it gets no frames that count, and could not show otherwise that it works again. To
  /// be sent a copy of a frame that another answers.
  ///
  /// - Parameter suspects: by device.
  package mutating func probe(_ suspects: [Bool], at now: MonotonicTime) -> Int? {
    for number in devices.indices {
      guard suspects[number] else {
        devices[number].probe = nil
        continue
      }
      guard let probe = devices[number].probe else {
        devices[number].probe = (now.adding(nanoseconds: Self.firstPause), Self.firstPause)
        continue
      }
      guard probe.due <= now else { continue }
      let pause = min(2 * probe.pause, Self.longestPause)
      devices[number].probe = (now.adding(nanoseconds: pause), pause)
      devices[number].givenUp = devices[number].givenUp ?? now
      return number
    }
    return nil
  }
}
