import Logging
import MQTT
import TensorCore
import WireProtocol

/// What a gateway says of itself: presence, heartbeat and description, as a device does.
final class GatewayPresence {
  let description: DeviceDescription
  private let name: String
  private let epoch: UInt64
  private let topic: String
  private let heartbeatTopic: String
  private let descriptionTopic: String
  private let heartbeat: Duration
  private var heart: Heart?
  private var published: Presence.State?
  private var lastAnnounced = MonotonicTime.zero
  private var restatement = Restatement()
  /// The epoch of an ended run of this name that was later than this one's.
  private(set) var overtakenBy: UInt64?
  /// The wall clock in milliseconds.
  private let clock: () -> UInt64

  init(
    name: String, epoch: UInt64, root: TopicRoot, plan: String, methods: Set<RPCMethod>,
    heartbeat: Duration, clock: @escaping () -> UInt64
  ) throws(MartletError) {
    self.name = name
    self.clock = clock
    self.epoch = epoch
    self.heartbeat = heartbeat
    topic = try root.path(.presence(device: name))
    heartbeatTopic = try root.path(.heartbeat(device: name))
    descriptionTopic = try root.path(.description(device: name))
    description = DeviceDescription(
      version: Worker.version, methods: methods.map(\.description).sorted(), plan: plan,
      parts: [], hardware: .ofThisMachine)
  }

  /// The presence message of a state.
  func message(_ state: Presence.State) throws(MartletError) -> MQTTMessage {
    let presence = Presence(
      state: state, epoch: epoch, heartbeatMilliseconds: heartbeat.milliseconds,
      version: Worker.version)
    return MQTTMessage(
      topic: topic, payload: try presence.payload(), quality: .atLeastOnce, retain: true,
      properties: MQTTProperties(expirySeconds: Worker.presenceExpirySeconds))
  }

  /// Says the state, and begins to beat.
  func announce(_ state: Presence.State, through client: MQTTClient, _ logger: Logger) {
    published = state
    lastAnnounced = .now()
    do throws(MartletError) {
      try client.publish(try message(state))
      if heart == nil {
        heart = try Heart(
          client: client, topic: heartbeatTopic, epoch: epoch, interval: heartbeat)
      }
    } catch {
      logger.warning("\(error)")
    }
    if state.isGone { heart?.stop() } else { heart?.start() }
  }

  /// Whether the retained presence should be said again before the broker forgets it.
  func isDue(at now: MonotonicTime) -> Bool {
    published != nil && now.nanoseconds(since: lastAnnounced) > 60_000_000_000
  }

  /// What the next heartbeats say.
  func update(frame: UInt64, queue: Int) { heart?.update(frame: frame, queue: queue) }

  /// Says what the gateway is.
  func describe(through client: MQTTClient, _ logger: Logger) {
    do throws(MartletError) {
      try client.publish(
        MQTTMessage(
          topic: descriptionTopic, payload: try description.payload(), quality: .atLeastOnce,
          retain: true))
    } catch {
      logger.warning("\(error)")
    }
  }

  /// Looks at presence under the own name; what is not the gateway's own word is set right.
  ///
  /// - Throws: `superseded` when a newer process uses the name, or one that has ended had a later epoch:
  ///   see `overtakenBy`.
  func judge(_ payload: [UInt8], _ logger: Logger) throws(MartletError) {
    guard let seen = try? Presence(payload: payload, source: topic) else {
      return restatement.want(at: .now())
    }
    let verdict = OwnPresence.judge(
      seen, ownEpoch: epoch, published: published,
      latest: max(Epoch.latest(unixMilliseconds: clock()), epoch))
    switch verdict {
    case .fine: return
    case .republish: return restatement.want(at: .now())
    case .takeOver(let other):
      logger.notice(
        "an earlier gateway of this name had a later epoch, so the clock has gone back; going on after it",
        metadata: ["gateway": "\(name)", "own epoch": "\(epoch)", "its epoch": "\(other)"])
      overtakenBy = other
    case .superseded: break
    }
    throw MartletError(
      .superseded, "another gateway has this name and is newer, so this one stops",
      context: [
        "gateway": name, "own epoch": "\(epoch)", "its epoch": "\(seen.epoch)",
        "clock": "\(clock())",
      ],
      hint: """
        give each gateway a name of its own with --name; if no other runs, this machine's clock is \
        behind: set it
        """)
  }

  /// Looks at the description under the own name.
  func judgeDescription(_ payload: [UInt8]) {
    let seen = try? DeviceDescription(payload: payload, source: descriptionTopic)
    if seen != description { restatement.want(at: .now()) }
  }

  /// When `restate` has something to do.
  var due: MonotonicTime { restatement.due }

  /// Says again what the gateway is, if what is retained is something else.
  func restate(through client: MQTTClient, _ logger: Logger) {
    guard restatement.take(at: .now()), let published, !published.isGone else { return }
    describe(through: client, logger)
    announce(published, through: client, logger)
  }

  /// Ends the heartbeats.
  func stop() { heart?.stop() }
}
