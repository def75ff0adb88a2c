package import Tensors

/// The answer for one frame, and how sure it is: what `result/<client>`, a gateway's reply,
/// `martlet run --json` and `martlet infer --json` say, in one form.
///
/// Version 2 of the form. Keys that are not known are left out:
///
/// | key | what |
/// |---|---|
/// | `schema_version` | 2; absent in messages of version 1 |
/// | `status` | `answered`, or `refused`: then there is no `label`, and `refusal` says why |
/// | `request_id` | text that names the request: the caller's own id at a gateway |
/// | `time` | when the answer was there: RFC 3339, UTC, with milliseconds |
/// | `image` | the input's name: a path, or `sample 3` |
/// | `task` | `classification`, `binary`, `multilabel` or `raw`: how the output is read |
/// | `label`, `label_name`, `confidence` | the class that the model holds for likeliest, its name, and its probability from 0 to 1; none for `raw` |
/// | `truth`, `truth_name` | the class that is right, where it is known |
/// | `top5` | up to five classes, likeliest first: `label`, `label_name`, `confidence` |
/// | `labels` | for `multilabel`: all labels of at least one half, in the same form |
/// | `outputs` | for `raw`: `name`, `shape`, `min`, `mean`, `max` and `not_finite` of each output |
/// | `latency_ms` | from sending the frame to its answer |
/// | `degraded` | the parts that were missing: `layer`, `device`, `reason`, `filled_by`, `neurons` |
/// | `degraded_omitted` | how many more were missing, each counted for each that went on without it, and are not listed for want of room |
/// | `filled_neurons` | how many neurons that were |
/// | `guessed` | whether the class was drawn at random, because nothing reached the last layer |
/// | `reliable` | whether the answer is about as sure as with all devices; false where nobody knows |
/// | `expected_accuracy` | the share of such answers that are right, 0 to 1, by the plan's study |
/// | `present`, `alive` | the devices of which nothing was missing; those that were counted on |
/// | `frame`, `epoch`, `seq`, `plan`, `attempts` | the frame's number, the client's run, the result's number in it, the plan's id, how often the frame was sent |
///
/// In version 1 the class that is right was called `expected` here; that is still read.
package struct FrameResult: WireMessage, Equatable {
  /// The version of the form that is written.
  package static let currentVersion = 2

  /// What became of a frame.
  package enum Status: String, Codable, Sendable {
    /// There is an answer.
    case answered
    /// There was one, and it was not good enough to be given.
    case refused
  }

  /// A class and its probability.
  package struct Candidate: Codable, Sendable, Equatable {
    /// The class index.
    package var label: Int
    /// Its name, when the plan has names.
    package var labelName: String?
    /// Its probability, 0 to 1.
    package var confidence: Double

    /// A class with its probability.
    package init(label: Int, labelName: String? = nil, confidence: Double) {
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
  package struct Degradation: Codable, Sendable, Equatable, Hashable {
    /// The layer's topic id.
    package var layer: String
    /// The device whose part was missing.
    package var device: String
    /// Why.
    package var reason: MissingReason
    /// Who went on without it: devices' names, and `client`.
    package var filledBy: [String]?
    /// Neurons in the part.
    package var neurons: Int?

    /// The part of `layer` from `device` was missing.
    package init(
      layer: String, device: String, reason: MissingReason, filledBy: [String]? = nil,
      neurons: Int? = nil
    ) {
      self.neurons = neurons
      self.layer = layer
      self.device = device
      self.reason = reason
      self.filledBy = filledBy
    }

    enum CodingKeys: String, CodingKey {
      case layer, device, reason, neurons
      case filledBy = "filled_by"
    }
  }

  /// What an output is like that names no class.
  package struct Output: Codable, Sendable, Equatable {
    /// The model's name of it.
    package var name: String
    /// Its extents.
    package var shape: [Int]
    /// The smallest element; nil when there is no finite one.
    package var minimum: Double?
    /// The mean of the finite elements.
    package var mean: Double?
    /// The largest element.
    package var maximum: Double?
    /// How many elements are NaN or infinite.
    package var notFinite: Int

    /// Describes an output.
    package init(name: String, shape: [Int], statistics: TensorStatistics) {
      self.name = name
      self.shape = shape
      minimum = statistics.minimum.map(Double.init)
      mean = statistics.mean
      maximum = statistics.maximum.map(Double.init)
      notFinite = statistics.notFinite
    }

    enum CodingKeys: String, CodingKey {
      case name, shape, mean
      case minimum = "min"
      case maximum = "max"
      case notFinite = "not_finite"
    }
  }

  /// The version of the form; nil in messages of the first.
  package var schemaVersion: Int? = FrameResult.currentVersion
  /// What became of the frame; nil in messages of version 1, which are answers.
  package var status: Status? = .answered
  /// Names the request.
  package var requestID: String?
  /// When the answer was there: RFC 3339, UTC.
  package var time: String?
  /// The input's name.
  package var image: String?
  /// How the output is read: the name of a `Head.Task`.
  package var task: String?
  /// The class or label that the model holds for likeliest; nil where the outputs name none, and for a
  /// refused answer.
  package var label: Int?
  /// Its name, when the plan has names.
  package var labelName: String?
  /// The probability of `label`, 0 to 1.
  package var confidence: Double?
  /// The class that is right, when the client knows: what accuracy is computed from.
  package var truth: Int?
  /// Its name.
  package var truthName: String?
  /// Up to five classes, the most probable first.
  package var top5: [Candidate]
  /// For a multi-label head, all labels of at least one half.
  package var labels: [Candidate]?
  /// For outputs that name no class, what they are like.
  package var outputs: [Output]?
  /// Milliseconds from sending the frame to this answer.
  package var latencyMilliseconds: Double
  /// The parts that were filled in; empty when nothing was missing.
  package var degraded: [Degradation]
  /// How many more parts were missing, each counted for each that went on without it, that are not in
  /// `degraded` for want of room, at least; nil for none.
  package var degradedOmitted: Int?
  /// How many neurons were filled in, over all layers.
  package var filledNeurons: Int
  /// Whether `label` is a random guess, because nothing reached the last layer.
  package var guessed: Bool?
  /// Whether the answer is about as sure as with all devices; false where nobody knows.
  package var reliable: Bool?
  /// Why the answer was refused.
  package var refusal: String?
  /// The accuracy to expect of these devices, 0 to 1; nil when the plan has not been studied.
  package var expectedAccuracy: Double?
  /// The devices that were counted on and of which nothing was missing.
  package var present: [String]
  /// The devices that were counted on when the frame was sent.
  package var alive: [String]?
  /// The frame's number.
  package var frame: UInt64
  /// The run of the client that this belongs to.
  package var epoch: UInt64 = 0
  /// Counts the client's results of this run from 1.
  package var sequence: UInt64 = 0
  /// The plan's id.
  package var plan: String?
  /// How often the frame was sent.
  package var attempts: Int?

  /// An answer.
  package init(
    frame: UInt64, label: Int?, labelName: String? = nil, top5: [Candidate], confidence: Double?,
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

  /// Whether the class is the right one; nil where that is not known, or no one class is right.
  package var isRight: Bool? {
    guard let truth, let label, status != .refused, task.map(FrameResult.judged.contains) ?? true
    else { return nil }
    return label == truth
  }

  /// Tasks of which one class is right.
  private static let judged: Set<String> = ["classification", "binary"]

  enum CodingKeys: String, CodingKey {
    case schemaVersion = "schema_version"
    case status
    case requestID = "request_id"
    case time, image, task, label
    case labelName = "label_name"
    case confidence, truth
    case truthName = "truth_name"
    case top5, labels, outputs
    case latencyMilliseconds = "latency_ms"
    case degraded
    case degradedOmitted = "degraded_omitted"
    case filledNeurons = "filled_neurons"
    case guessed, reliable, refusal
    case expectedAccuracy = "expected_accuracy"
    case present, alive, frame, epoch
    case sequence = "seq"
    case plan, attempts
  }
}
