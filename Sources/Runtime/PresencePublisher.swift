import Engine
import Foundations
import Logging
import MQTT
import WireProtocol

/// Publishes what a worker or gateway says of itself, and listens to what stands under its name:
/// does what a `PresenceKeeper` decides.
final class PresencePublisher {
  /// The epoch of an ended run of this name that was later than this one's; see `Host`.
  private(set) var overtakenBy: UInt64?
  private let identity: PresenceIdentity
  private let client: MQTTClient
  private let heart: Heart
  /// The wall clock in milliseconds since 1970.
  private let clock: () -> UInt64
  private let logger: Logger
  private var keeper: PresenceKeeper
  private var complaints = Complaints()

  /// Publishes nothing yet.
  ///
  /// - Parameters:
  ///   - first: the state to say after the first connection.
  ///   - heart: beats from the first presence on, until one says that it is gone.
  init(
    _ identity: PresenceIdentity, description: DeviceDescription, first: Presence.State,
    client: MQTTClient, heart: Heart, clock: @escaping () -> UInt64, logger: Logger
  ) {
    self.identity = identity
    self.client = client
    self.heart = heart
    self.clock = clock
    self.logger = logger
    keeper = PresenceKeeper(description: description, first: identity.presence(first))
  }

  /// What it says that it is.
  var description: DeviceDescription { keeper.description }

  /// What it says last, or will say first.
  var state: Presence.State { keeper.standing.state }

  /// The latest epoch that can be right.
  var latestEpoch: UInt64 { keeper.latestEpoch(clock: clock()) }

  // MARK: To say

  /// The client is connected, for the first time or again.
  func connected() { publish(keeper.connected(at: .now())) }

  /// The connection is lost.
  func disconnected() { keeper.disconnected() }

  /// Says a state.
  func say(_ state: Presence.State) { publish(keeper.say(state, at: .now())) }

  /// Says again what is necessary; call it when `due` has come.
  func work(at now: MonotonicTime) { publish(keeper.work(at: now)) }

  /// When `work` may have something to say.
  var due: MonotonicTime { keeper.due }

  private func publish(_ words: [PresenceKeeper.Word]) {
    for word in words {
      do throws(MartletError) {
        switch word {
        case .description: try client.publish(try identity.message(keeper.description))
        case .presence(let presence): try client.publish(try identity.message(presence))
        }
      } catch {
        logger.warning("\(error)")
      }
      if case .presence(let presence) = word {
        if presence.state.isGone { heart.stop() } else { heart.start() }
      }
    }
  }

  // MARK: To hear

  /// Presence under the own name came.
  ///
  /// - Returns: false if it cannot be read.
  /// - Throws: `superseded` when a newer process uses the name, or one that has ended had a later epoch:
  ///   see `overtakenBy`.
  @discardableResult
  func hear(presence payload: [UInt8], at now: MonotonicTime) throws(MartletError) -> Bool {
    let verdict = keeper.hear(presence: payload, clock: clock(), at: now)
    try obey(verdict, at: now)
    return verdict != .unreadable
  }

  /// A heartbeat under the own name came.
  ///
  /// - Throws: `superseded` when a newer process uses the name.
  func hear(_ beat: Heartbeat, at now: MonotonicTime) throws(MartletError) {
    try obey(keeper.hear(beat, clock: clock()), at: now)
  }

  /// A description under the own name came.
  func hear(description payload: [UInt8], at now: MonotonicTime) {
    _ = keeper.hear(description: payload, at: now)
  }

  /// The broker refused a message. Without presence nobody would ever count on this process: it says so
  /// instead of working in vain.
  ///
  /// - Throws: `error`, if the message was presence.
  func refused(_ topic: String, _ error: MartletError) throws(MartletError) {
    if topic == identity.topic { throw error }
    logger.error("\(error)", metadata: ["topic": "\(topic)"])
  }

  private func obey(
    _ verdict: PresenceKeeper.Verdict, at now: MonotonicTime
  ) throws(MartletError) {
    switch verdict {
    case .fine, .restate, .unreadable: break
    case .impossible(let epoch):
      let text = "others are shut out by presence under this name, whose epoch cannot be right"
      if complaints.allows(text, at: now) { logger.error("\(text)", metadata: metadata(epoch)) }
    case .superseded(let epoch): throw identity.superseded(by: epoch, clock: clock())
    case .takeOver(let epoch):
      logger.notice(
        "an earlier run of this name had a later epoch, so the clock has gone back; going on after it",
        metadata: metadata(epoch))
      overtakenBy = epoch
      throw identity.superseded(by: epoch, clock: clock())
    }
  }

  private func metadata(_ other: UInt64) -> Logger.Metadata {
    [
      identity.role.rawValue: "\(identity.name)", "own epoch": "\(identity.epoch)",
      "its epoch": "\(other)",
    ]
  }
}
