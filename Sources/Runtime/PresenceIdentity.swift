import Foundations
import MQTT
import WireProtocol

/// Who says what a `PresencePublisher` says: a name and a run, and the topics of its own.
struct PresenceIdentity {
  /// What the process is for. The raw value stands in the log.
  enum Role: String {
    /// It computes parts; the log calls it by its device.
    case worker = "device"
    /// It takes calls.
    case gateway
  }

  let role: Role
  let name: String
  let epoch: UInt64
  let heartbeat: Duration
  let topic: String
  let heartbeatTopic: String
  let descriptionTopic: String

  init(
    _ role: Role, name: String, epoch: UInt64, heartbeat: Duration, root: TopicRoot
  ) throws(MartletError) {
    self.role = role
    self.name = name
    self.epoch = epoch
    self.heartbeat = heartbeat
    topic = try root.path(.presence(device: name))
    heartbeatTopic = try root.path(.heartbeat(device: name))
    descriptionTopic = try root.path(.description(device: name))
  }

  /// The topics of its own that it publishes to and reads.
  var topics: [String] { [topic, heartbeatTopic] }

  /// What is read under the own name, to see what others make of it.
  var filters: [(filter: String, quality: MQTTQuality)] {
    [(topic, .atLeastOnce), (heartbeatTopic, .atMostOnce), (descriptionTopic, .atLeastOnce)]
  }

  /// The presence of a state.
  func presence(_ state: Presence.State) -> Presence {
    Presence(
      state: state, epoch: epoch, heartbeatMilliseconds: heartbeat.milliseconds,
      version: Worker.version)
  }

  /// The message of a presence; that of `lost` is the will.
  func message(_ presence: Presence) throws(MartletError) -> MQTTMessage {
    MQTTMessage(
      topic: topic, payload: try presence.payload(), quality: .atLeastOnce, retain: true,
      properties: MQTTProperties(expirySeconds: Presence.expirySeconds))
  }

  /// The message of a description.
  func message(_ description: DeviceDescription) throws(MartletError) -> MQTTMessage {
    MQTTMessage(
      topic: descriptionTopic, payload: try description.payload(), quality: .atLeastOnce,
      retain: true)
  }

  /// Why this run stops: one with a later epoch has its name.
  ///
  /// - Parameter clock: the wall clock, in milliseconds since 1970.
  func superseded(by other: UInt64, clock: UInt64) -> MartletError {
    MartletError(
      .superseded, "another \(rival) and is newer, so this one stops",
      context: [
        role.rawValue: name, "own epoch": "\(epoch)", "its epoch": "\(other)",
        "clock": "\(clock)",
      ], hint: hint)
  }

  private var rival: String {
    switch role {
    case .worker: "worker runs as this device"
    case .gateway: "gateway has this name"
    }
  }

  private var hint: String {
    switch role {
    case .worker:
      """
      give each worker a device name of its own; if no other runs, this machine's clock is behind: \
      set it, or keep the last epoch with --state
      """
    case .gateway:
      """
      give each gateway a name of its own with --name; if no other runs, this machine's clock is \
      behind: set it
      """
    }
  }
}
