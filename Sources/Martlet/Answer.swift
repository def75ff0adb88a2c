import Engine
import Plan
import Resilience
import Runtime

/// What came of one frame.
public struct Answer: Sendable {
  /// How far an answer can be trusted.
  public enum Reliability: Sendable, Hashable {
    /// Nothing was missing.
    case complete
    /// Something was missing, and a study says what share of such answers is right, and what share with
    /// all devices; both 0 to 1.
    case expected(accuracy: Double, whole: Double)
    /// Something was missing, and no study says what that costs.
    case unknown
  }

  /// A part of a layer that was missing somewhere on the way.
  public struct MissingPart: Sendable, Hashable {
    /// The layer.
    public let layer: String
    /// The device whose part it is.
    public let device: String
    /// `deadline`, `lost`, `suspect`, `corrupt`, `denied` or `null`.
    public let reason: String
    /// Who lacked it: devices' names, and `client` for this program.
    public let receivers: [String]
    /// Neurons in the part.
    public let neurons: Int
  }

  /// What the outputs say.
  public let prediction: Prediction
  /// The model's outputs, in order; none where nothing reached the last layer and there is no class to
  /// guess.
  public let outputs: [Tensor]
  /// Whether the class was drawn at random, because nothing reached the last layer.
  public let isGuess: Bool
  /// What was missing; empty for a complete answer.
  public let missing: [MissingPart]
  /// The devices that were counted on and of which nothing was missing.
  public let present: [String]
  /// How far it can be trusted.
  public let reliability: Reliability
  /// Why it should not be used: less is expected of it than
  /// ``InferenceSession/Options/minimumExpectedAccuracy`` asks for, or there is nothing in it. Nil if
  /// it may be used.
  public let refusal: String?
  /// What a reader should know before trusting it, in a line; nil if nothing was missing.
  public let caution: String?
  /// From the sending of the frame to the answer.
  public let latency: Duration
  /// How often the frame was sent; more than once if nothing at all came back, or not enough.
  public let attempts: Int

  /// Whether something was missing.
  public var isDegraded: Bool { !missing.isEmpty }

  init(_ answer: Engine.Answer, of plan: Plan) {
    prediction = Prediction(Plan.Reading(answer.outputs, guess: answer.guess, of: plan))
    outputs = answer.outputs.map { Tensor($0) }
    isGuess = answer.guess != nil
    missing = answer.fills.map {
      MissingPart(
        layer: $0.layer, device: $0.device, reason: $0.reason, receivers: $0.filledBy,
        neurons: $0.neurons)
    }
    present = answer.present
    reliability =
      switch answer.reliability {
      case .complete: .complete
      case .expected(let accuracy, let whole): .expected(accuracy: accuracy, whole: whole)
      case .unknown: .unknown
      }
    refusal = answer.refusal
    caution = answer.caution
    latency = answer.latency
    attempts = answer.attempts
  }
}
