import Runtime

/// How a device looks from here.
public struct DevicePresence: Sendable, Hashable {
  /// What is thought of a device.
  public enum State: String, Sendable, CaseIterable {
    /// Nothing has been heard of it yet.
    case unknown
    /// It says that it is there, and is heard.
    case alive
    /// It finishes what it has and leaves.
    case draining
    /// It is silent, or its parts come late: frames do not wait for it.
    case suspect
    /// It is gone.
    case lost
    /// It runs another plan.
    case fenced
  }

  /// The device's name.
  public let device: String
  /// What is thought of it.
  public let state: State

  /// Whether frames wait for it.
  public var isAlive: Bool { state == .alive }

  init(_ seen: InferenceClient.DeviceState) {
    device = seen.device
    state = State(rawValue: seen.state) ?? .unknown
  }
}
