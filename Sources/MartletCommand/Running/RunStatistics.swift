import Engine
import Foundations
import Plan
import Runtime
import Tables

/// Answers added up: how many, how right, how fast, how much was missing.
struct RunStatistics {
  private let devices: [String]
  private var frames = 0
  private var labelled = 0
  private var correct = 0
  private var degraded = 0
  private var filledNeurons = 0
  private var filledParts = 0
  private var guesses = 0
  /// The head of answers whose truth is known and makes them neither right nor wrong.
  private var unjudged: Head.Task?
  private var refused = 0
  private var latency = Quantiles()

  init(devices: [String]) { self.devices = devices }

  mutating func add(_ answer: Answer, truth: Int?, prediction: Prediction) {
    frames += 1
    guard answer.refusal == nil else {
      refused += 1
      return
    }
    if let truth {
      if let isRight = prediction.isRight(truth) {
        labelled += 1
        if isRight { correct += 1 }
      } else {
        unjudged = prediction.head.task
      }
    }
    if answer.isDegraded { degraded += 1 }
    filledNeurons += answer.filledNeurons
    filledParts += answer.fills.count
    if answer.guess != nil { guesses += 1 }
    latency.add(answer.latency.inMilliseconds)
  }

  func summary(seconds: Double) -> RunSummary {
    RunSummary(
      frames: frames, labelled: labelled, correct: correct,
      accuracy: labelled > 0 ? Double(correct) / Double(labelled) : nil,
      framesPerSecond: seconds > 0 ? Double(frames) / seconds : 0, p50: latency.p50 ?? 0,
      p99: latency.p99 ?? 0, degraded: degraded, filledParts: filledParts,
      filledNeurons: filledNeurons, guesses: guesses, refused: refused,
      unjudged: unjudged?.rawValue)
  }
}

/// What `RunStatistics` comes to.
struct RunSummary: Encodable {
  var frames: Int
  var labelled: Int
  var correct: Int
  var accuracy: Double?
  var framesPerSecond: Double
  var p50: Double
  var p99: Double
  var degraded: Int
  var filledParts: Int
  var filledNeurons: Int
  /// Answers that are random guesses, because nothing reached the last layer.
  var guesses: Int
  /// Images that were not sent, because they could not be read.
  var unreadableImages = 0
  /// Answers that were not good enough to be given; they are in `frames` and in no other figure.
  var refused: Int
  /// The task of answers whose right class is known but which are neither right nor wrong by one class;
  /// nil where there are none.
  var unjudged: String?
  /// How images became inputs; nil where there were none.
  var preprocessing: PreprocessingNote?

  private enum CodingKeys: String, CodingKey {
    case unreadableImages = "unreadable_images"
    case frames, labelled, correct, accuracy, guesses, refused, unjudged, preprocessing
    case framesPerSecond = "frames_per_second"
    case p50 = "latency_p50_ms"
    case p99 = "latency_p99_ms"
    case degraded = "degraded_frames"
    case filledParts = "filled_parts"
    case filledNeurons = "filled_neurons"
  }

  /// For people.
  var text: String {
    var text = "\(frames) frames, \(framesPerSecond.formatted(1)) frames/s, "
    text += "latency p50 \(p50.formatted(1)) ms, p99 \(p99.formatted(1)) ms"
    if let accuracy { text += ", top-1 \((accuracy * 100).formatted(2)) %" }
    if let unjudged { text += ", no top-1 (a head of task \(unjudged))" }
    if degraded > 0 { text += ", \(degraded) degraded (\(filledParts) parts filled)" }
    if guesses > 0 { text += ", \(guesses) guesses" }
    if refused > 0 { text += ", \(refused) refused" }
    return text + UnreadableImages.note(unreadableImages)
  }
}
