package import Plan
package import Resilience
package import Tensors
package import WireProtocol

/// What a client gets for one frame.
package struct Answer: Sendable {
  /// A part that was filled instead of received, somewhere on the way to the answer.
  package struct FilledPart: Sendable, Hashable {
    /// The `<layer>` of the exchange.
    package var layer: String
    /// The device whose part it is.
    package var device: String
    /// `deadline`, `lost`, `suspect`, `corrupt`, `denied` or `null`; where those who lacked it say
    /// different things, the first of these.
    package var reason: String
    /// Who lacked it: devices' names, and `client`. Where devices of which the answer consists are
    /// not among them, these had it.
    package var filledBy: [String]
    /// Neurons in the part.
    package var neurons: Int
  }

  /// What `submit` returned for the frame.
  package var ticket: Int
  /// The frame's number on the wire.
  package var frame: UInt64
  /// The model's outputs, in order; none where nothing reached the last layer and there is no class to
  /// guess.
  package var outputs: [Tensor]
  /// The class that was drawn at random, because nothing reached the last layer; nil for an answer.
  package var guess: Int?
  /// What was missing; empty for a complete answer.
  package var fills: [FilledPart]
  /// Who was to take part.
  package var attendance: Attendance
  /// Devices that were counted on, by number: where a frame goes to one device, all that it could have
  /// gone to.
  package var awaited: [Bool]
  /// Who lacked what, by numbers: with `attendance`, all that `LocalCluster` needs to repeat it.
  package var report: FillReport
  /// The names of the plan's devices, in order.
  package var devices: [String]
  /// The names of the devices that took part and of which nothing was missing.
  package var present: [String]
  /// The accuracy to expect of the devices in `present`, 0 to 1, where the plan has been studied; that of
  /// the frame of a loss where the study has it and somebody who was counted on was missing.
  package var expectedAccuracy: Double?
  /// How far it can be trusted.
  package var reliability: Reliability
  /// Why it may not be given: the policy asks for more; nil for an answer.
  package var refusal: String?
  /// From `submit` to the answer.
  package var latency: Duration
  /// How often the frame was sent; more than once if nothing at all came back.
  package var attempts: Int
  /// What `result/<client>` says; nil for an answer that was not published.
  package var result: FrameResult?

  /// Neurons that were filled, over all layers.
  package var filledNeurons: Int { fills.reduce(0) { $0 + $1.neurons } }
  /// Whether something was missing.
  package var isDegraded: Bool { !fills.isEmpty }
}
