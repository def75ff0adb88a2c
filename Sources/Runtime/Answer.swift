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
  /// The model's outputs, in order.
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
  /// What `result/<client>` says; nil for a model without outputs.
  public var result: FrameResult?

  /// Devices that were counted on, by device number.
  public var awaited: [Bool] { attendance.roles.map { $0 == .awaited } }
  /// Neurons that were filled, over all layers.
  public var filledNeurons: Int { fills.reduce(0) { $0 + $1.neurons } }
  /// Whether something was missing.
  public var isDegraded: Bool { !fills.isEmpty }
}

/// A model output read as a classification.
public struct Classification: Sendable, Hashable {
  /// One class.
  public struct Candidate: Sendable, Hashable {
    /// The output's index.
    public var label: Int
    /// Its name, where known.
    public var name: String?
    /// Probability, 0 to 1.
    public var confidence: Double
  }

  /// The likeliest classes, best first; at most as many as asked for.
  public var top: [Candidate]

  /// Ranks a model's first output; it is taken as logits unless it already sums to one.
  ///
  /// - Parameters:
  ///   - values: one score per class.
  ///   - names: class names by index; may be empty.
  ///   - count: how many candidates to keep.
  public init(scores values: [Float], names: [String], count: Int = 5) {
    let sum = values.reduce(0) { $0 + Double($1) }
    let isDistribution = abs(sum - 1) < 1e-3 && values.allSatisfy { $0 >= 0 }
    let peak = Double(values.max() ?? 0)
    let weights =
      isDistribution ? values.map(Double.init) : values.map { exponential(Double($0) - peak) }
    let total = weights.reduce(0, +)
    // NaN compares false with everything; rank such scores last instead of in arbitrary order.
    func key(_ index: Int) -> Float { values[index].isNaN ? -.infinity : values[index] }
    let order = values.indices.sorted { (key($1), $0) < (key($0), $1) }
    top = order.prefix(count).map { index in
      let share = total > 0 ? weights[index] / total : 0
      return Candidate(
        label: index, name: names.indices.contains(index) ? names[index] : nil,
        confidence: share.isFinite ? min(max(share, 0), 1) : 0)
    }
  }

  /// Ranks an answer's first output; a guess stands first, with the probability that it was drawn
  /// with.
  public init(_ answer: Answer, names: [String], count: Int = 5) {
    let scores = answer.outputs.first?.floats ?? []
    self.init(scores: scores, names: names, count: answer.guess == nil ? count : scores.count)
    guard let guess = answer.guess, let place = top.firstIndex(where: { $0.label == guess }) else {
      return
    }
    top.insert(top.remove(at: place), at: 0)
    top = Array(top.prefix(count))
  }

  /// The likeliest class; -1 for a model without outputs.
  public var label: Int { top.first?.label ?? -1 }
}
