public import TensorCore

/// The answer for one frame, and how sure it is. Topic `result/<client>`.
public struct FrameResult: WireMessage, Equatable {
  /// A class and its probability.
  public struct Candidate: Codable, Sendable, Equatable {
    /// The class index.
    public var label: Int
    /// Its name, when the plan has names.
    public var labelName: String?
    /// Its probability, 0 to 1.
    public var confidence: Double

    /// A class with its probability.
    public init(label: Int, labelName: String? = nil, confidence: Double) {
      self.label = label
      self.labelName = labelName
      self.confidence = confidence
    }

    enum CodingKeys: String, CodingKey {
      case label
      case labelName = "label_name"
      case confidence
    }
  }

  /// A part that was filled in.
  public struct Degradation: Codable, Sendable, Equatable, Hashable {
    /// The layer's topic id.
    public var layer: String
    /// The device whose part was missing.
    public var device: String
    /// Why.
    public var reason: MissingReason
    /// Who went on without it: devices' names, and `client`.
    public var filledBy: [String]?

    /// The part of `layer` from `device` was missing.
    public init(
      layer: String, device: String, reason: MissingReason, filledBy: [String]? = nil
    ) {
      self.layer = layer
      self.device = device
      self.reason = reason
      self.filledBy = filledBy
    }

    enum CodingKeys: String, CodingKey {
      case layer, device, reason
      case filledBy = "filled_by"
    }
  }

  /// The run of the client that this belongs to.
  public var epoch: UInt64 = 0
  /// Counts the client's results of this run from 1.
  public var sequence: UInt64 = 0
  /// The frame's number.
  public var frame: UInt64
  /// The most probable class.
  public var label: Int
  /// Its name, when the plan has names.
  public var labelName: String?
  /// Up to five classes, the most probable first.
  public var top5: [Candidate]
  /// The probability of `label`, 0 to 1.
  public var confidence: Double
  /// Milliseconds from sending the frame to this answer.
  public var latencyMilliseconds: Double
  /// The parts that were filled in; empty when nothing was missing.
  public var degraded: [Degradation]
  /// How many neurons were filled in, over all layers.
  public var filledNeurons: Int
  /// The class that is right, when the client knows: what accuracy is computed from.
  public var expected: Int?
  /// The plan's id.
  public var plan: String?
  /// The devices that were counted on when the frame was sent.
  public var alive: [String]?
  /// Whether `label` is a random guess, because nothing reached the last layer.
  public var guessed: Bool?
  /// The devices that were counted on and of which nothing was missing.
  public var present: [String]
  /// The accuracy to expect of these devices, 0 to 1; nil when the plan has not been studied.
  public var expectedAccuracy: Double?

  /// An answer.
  public init(
    frame: UInt64, label: Int, labelName: String? = nil, top5: [Candidate], confidence: Double,
    latencyMilliseconds: Double, degraded: [Degradation] = [], filledNeurons: Int = 0,
    guessed: Bool? = nil, present: [String] = [], expectedAccuracy: Double? = nil
  ) {
    self.frame = frame
    self.label = label
    self.labelName = labelName
    self.top5 = top5
    self.confidence = confidence
    self.latencyMilliseconds = latencyMilliseconds
    self.degraded = degraded
    self.filledNeurons = filledNeurons
    self.guessed = guessed
    self.present = present
    self.expectedAccuracy = expectedAccuracy
  }

  /// The most bytes of a payload.
  public static let maximumBytes = 256 * 1024

  /// Checks ranges and lengths; see `WireMessage`.
  public func check() throws(MartletError) {
    try Field.number(frame, "frame")
    try Field.count(label, "label", atMost: 1 << 30)
    try Field.text(labelName ?? "", "label_name")
    try Field.count(top5.count, "top5", atMost: 5)
    for candidate in top5 {
      try Field.count(candidate.label, "top5.label", atMost: 1 << 30)
      try Field.text(candidate.labelName ?? "", "top5.label_name")
      try Field.require(
        (0...1).contains(candidate.confidence), "top5.confidence", "\(candidate.confidence)")
    }
    try Field.require((0...1).contains(confidence), "confidence", "\(confidence)")
    try Field.measure(latencyMilliseconds, "latency_ms")
    try Field.count(degraded.count, "degraded", atMost: 2048)
    for part in degraded {
      try Field.identifier(part.layer, "degraded.layer")
      try Field.identifier(part.device, "degraded.device")
      try Field.count(part.filledBy?.count ?? 0, "degraded.filled_by", atMost: 1025)
      for name in part.filledBy ?? [] { try Field.identifier(name, "degraded.filled_by") }
    }
    try Field.count(filledNeurons, "filled_neurons", atMost: 1 << 40)
    try Field.number(epoch, "epoch")
    try Field.number(sequence, "seq")
    try Field.count(expected ?? 0, "expected", atMost: 1 << 30)
    try Field.text(plan ?? "", "plan", atMost: TensorHeader.maximumPlanBytes)
    try Field.count(alive?.count ?? 0, "alive", atMost: 1024)
    for device in alive ?? [] { try Field.identifier(device, "alive") }
    try Field.count(present.count, "present", atMost: 256)
    for device in present { try Field.identifier(device, "present") }
    if let expectedAccuracy {
      try Field.require(
        (0...1).contains(expectedAccuracy), "expected_accuracy", "\(expectedAccuracy)")
    }
  }

  enum CodingKeys: String, CodingKey {
    case epoch
    case sequence = "seq"
    case frame, label
    case labelName = "label_name"
    case top5, confidence
    case latencyMilliseconds = "latency_ms"
    case degraded, guessed, present
    case expectedAccuracy = "expected_accuracy"
    case filledNeurons = "filled_neurons"
    case expected, plan, alive
  }
}
