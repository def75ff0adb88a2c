public import Plan
public import Resilience
public import TensorCore
public import WireProtocol

/// What a client gets for one frame.
public struct Answer: Sendable {
  /// A part that was filled instead of received, somewhere on the way to the answer.
  public struct Fill: Sendable, Hashable {
    /// The `<layer>` of the exchange.
    public var layer: String
    /// The device whose part it is.
    public var device: String
    /// `deadline`, `lost`, `suspect`, `corrupt`, `denied` or `null`; where those who lacked it say
    /// different things, the first of these.
    public var reason: String
    /// Who lacked it: devices' names, and `client`. Where devices of which the answer consists are
    /// not among them, these had it.
    public var filledBy: [String]
    /// Neurons in the part.
    public var neurons: Int
  }

  /// What `submit` returned for the frame.
  public var ticket: Int
  /// The frame's number on the wire.
  public var frame: UInt64
  /// The model's outputs, in order; none where nothing reached the last layer and there is no class to
  /// guess.
  public var outputs: [Tensor]
  /// The class that was drawn at random, because nothing reached the last layer; nil for an answer.
  public var guess: Int?
  /// What was missing; empty for a complete answer.
  public var fills: [Fill]
  /// Who was to take part.
  public var attendance: Attendance
  /// Who lacked what, by numbers: with `attendance`, all that `LocalCluster` needs to repeat it.
  public var report: FillReport
  /// The names of the plan's devices, in order.
  public var devices: [String]
  /// The names of the devices that were counted on and of which nothing was missing.
  public var present: [String]
  /// The accuracy to expect of the devices in `present`, 0 to 1, where the plan has been studied.
  public var expectedAccuracy: Double?
  /// How far it can be trusted.
  public var reliability: Reliability
  /// Why it may not be given: the policy asks for more; nil for an answer.
  public var refusal: String?
  /// From `submit` to the answer.
  public var latency: Duration
  /// How often the frame was sent; more than once if nothing at all came back.
  public var attempts: Int
  /// What `result/<client>` says; nil for an answer that was not published.
  public var result: FrameResult?

  /// Devices that were counted on, by device number.
  public var awaited: [Bool] { attendance.roles.map { $0 == .awaited } }
  /// Neurons that were filled, over all layers.
  public var filledNeurons: Int { fills.reduce(0) { $0 + $1.neurons } }
  /// Whether something was missing.
  public var isDegraded: Bool { !fills.isEmpty }
}
