package import Engine
import Foundations
package import Plan
import Resilience
import Tensors
package import WireProtocol

extension Prediction {
  /// Reads an answer as the head of its plan says.
  ///
  /// - Parameters:
  ///   - names: class names by index; the plan's if nil.
  ///   - count: how many classes to keep.
  package init(_ answer: Answer, of plan: Plan, names: [String]? = nil, count: Int = 5) {
    self.init(answer.outputs, guess: answer.guess, of: plan, names: names, count: count)
  }
}

extension FrameResult {
  /// What is said of a model's outputs, computed without devices.
  ///
  /// - Parameters:
  ///   - frame: counts from 1.
  ///   - names: class names by index.
  package init(
    _ prediction: Prediction, frame: UInt64, latency: Duration, origin: FrameOrigin,
    names: [String]
  ) {
    func list(_ candidates: [Prediction.Candidate]) -> [Candidate] {
      candidates.map { .init(label: $0.label, labelName: $0.name, confidence: $0.confidence) }
    }
    let best = prediction.top.first
    self.init(
      frame: frame, label: best?.label, labelName: best?.name, top5: list(prediction.top),
      confidence: best?.confidence, latencyMilliseconds: Double(latency.nanoseconds) / 1e6)
    task = prediction.head.task.rawValue
    if prediction.head.task == .multilabel { labels = list(prediction.chosen) }
    if prediction.head.task == .raw {
      outputs = prediction.outputs.map {
        Output(name: $0.name, shape: $0.shape.dimensions, statistics: $0.statistics)
      }
    }
    time = WallClock.rfc3339(unixMilliseconds: unixMilliseconds())
    requestID = origin.requestID
    image = origin.image.map { name in
      String(decoding: name.utf8.prefix(FrameResult.maximumImageBytes), as: UTF8.self)
    }
    truth = origin.truth
    truthName = Prediction.name(of: origin.truth, head: prediction.head, names: names)
  }

  /// What is said of an answer of a plan's devices.
  package init(_ answer: Answer, of plan: Plan, origin: FrameOrigin) {
    let names = plan.model.labels
    let prediction = Prediction(answer, of: plan)
    self.init(
      prediction, frame: answer.frame, latency: answer.latency, origin: origin, names: names)
    if let refusal = answer.refusal {
      status = .refused
      self.refusal = refusal
      (label, labelName, confidence) = (nil, nil, nil)
      (top5, labels, outputs) = ([], nil, nil)
    }
    let (listed, left) = FrameResult.listed(answer.fills)
    degraded = listed
    let omitted = left + answer.report.omitted
    degradedOmitted = omitted > 0 ? omitted : nil
    filledNeurons = answer.filledNeurons
    guessed = answer.guess != nil
    reliable = answer.reliability.isReliable
    present = answer.present
    expectedAccuracy = answer.expectedAccuracy
    alive = zip(plan.devices, answer.awaited).filter(\.1).map(\.0.name)
    attempts = answer.attempts
  }

  /// The bytes of `degraded` at most: half of a message, so that it holds whatever else there is.
  private static let maximumDegradedBytes = FrameResult.maximumBytes / 2

  /// The fills that a message has room for, and how many are left out, each counted for each that went
  /// on without the part.
  private static func listed(_ fills: [Answer.FilledPart]) -> (listed: [Degradation], left: Int) {
    var bytes = 0
    var left = 0
    var listed: [Degradation] = []
    for fill in fills {
      // With quotation marks, commas and the names of the members.
      let size =
        120 + fill.layer.utf8.count + fill.device.utf8.count
        + fill.filledBy.reduce(0) { $0 + $1.utf8.count + 4 }
      guard listed.count < FrameResult.maximumDegraded, bytes + size <= maximumDegradedBytes else {
        left += fill.filledBy.count
        continue
      }
      bytes += size
      listed.append(
        .init(
          layer: fill.layer, device: fill.device,
          reason: MissingReason(rawValue: fill.reason) ?? .lost, filledBy: fill.filledBy,
          neurons: fill.neurons))
    }
    return (listed, left)
  }
}
