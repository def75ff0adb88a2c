package import Foundations

/// Who is there, from presence, heartbeats and descriptions, for people who look. Unlike `Liveness` it
/// needs no plan: it lists whoever speaks up, within a bound.
package struct DeviceRoster: Sendable {
  /// What is known of one device or gateway.
  package struct Row: Codable, Sendable, Equatable {
    /// Its name.
    package var device: String
    /// `unknown`, `alive`, `draining`, `suspect` or `lost`; a retained `ready` without a heartbeat
    /// is unknown.
    package var state: PeerState
    /// What its presence says.
    package var presence: Presence.State?
    /// The epoch of its run.
    package var epoch: UInt64?
    /// Milliseconds since its last heartbeat.
    package var beatAgeMilliseconds: UInt64?
    /// The frame it has finished last.
    package var frame: UInt64?
    /// Frames or calls that wait for it.
    package var queue: Int?
    /// Its resident memory in bytes.
    package var residentBytes: UInt64?
    /// Its program's version.
    package var version: String?
    /// The plan that it runs.
    package var plan: String?
    /// What it answers.
    package var methods: [String]?

    /// Whether it hands frames on and computes no part of them.
    package var isGateway: Bool { methods?.contains { $0.hasPrefix("inference/") } ?? false }

    enum CodingKeys: String, CodingKey {
      case device, state, presence, epoch
      case beatAgeMilliseconds = "beat_age_ms"
      case frame, queue
      case residentBytes = "rss_bytes"
      case version, plan, methods
    }
  }

  private struct Entry: Sendable {
    var liveness = PeerLiveness()
    var presence: Presence?
    var beat: Heartbeat?
    var beatTime: MonotonicTime?
    var description: DeviceDescription?
  }

  /// Names that are kept at most.
  package static let maximumDevices = 1024

  private var entries: [String: Entry] = [:]

  /// Nobody is known yet.
  package init() {}

  /// Takes a message; what is not one of the three kinds, or unreadable, changes nothing.
  ///
  /// - Returns: false for one of these kinds that cannot be read.
  @discardableResult
  package mutating func receive(_ payload: [UInt8], on topic: Topic, at now: MonotonicTime) -> Bool
  {
    switch topic {
    case .presence(let device):
      // An empty retained message clears the topic.
      guard !payload.isEmpty else { return true }
      guard let presence = try? Presence(payload: payload, source: "presence/\(device)") else {
        return false
      }
      change(device) { entry in
        if entry.liveness.receive(presence) { entry.presence = presence }
      }
    case .heartbeat(let device):
      guard let beat = try? Heartbeat(payload: payload, source: "heartbeat/\(device)") else {
        return false
      }
      change(device) { entry in
        guard entry.liveness.heartbeat(epoch: beat.epoch, at: now) else { return }
        entry.beat = beat
        entry.beatTime = now
      }
    case .description(let device):
      guard !payload.isEmpty else { return true }
      guard let description = try? DeviceDescription(payload: payload, source: "desc/\(device)")
      else { return false }
      change(device) { $0.description = description }
    default: break
    }
    return true
  }

  private mutating func change(_ device: String, _ body: (inout Entry) -> Void) {
    guard entries[device] != nil || entries.count < DeviceRoster.maximumDevices else { return }
    body(&entries[device, default: Entry()])
  }

  /// Whether everybody whose presence says so has been heard: nothing is left to wait for.
  package func isSettled(at now: MonotonicTime) -> Bool {
    !entries.isEmpty
      && entries.values.allSatisfy {
        $0.presence.map { $0.state.isGone } ?? false || $0.liveness.state(at: now) != .unknown
      }
  }

  /// All that is known, by name.
  package func rows(at now: MonotonicTime) -> [Row] {
    entries.sorted { $0.key < $1.key }.map { name, entry in
      let epoch = entry.liveness.epoch
      // The beats of an earlier run say nothing about this one.
      let beat = entry.beat.flatMap { $0.epoch == epoch ? $0 : nil }
      return Row(
        device: name, state: entry.liveness.state(at: now), presence: entry.presence?.state,
        epoch: epoch > 0 ? epoch : nil,
        beatAgeMilliseconds: beat == nil
          ? nil : entry.beatTime.map { now.nanoseconds(since: $0) / 1_000_000 },
        frame: beat?.frame, queue: beat?.queue, residentBytes: beat?.residentBytes,
        version: entry.presence?.version, plan: entry.description?.plan,
        methods: entry.description?.methods)
    }
  }
}
