import Imaging
import ModelCards
import ModelGraph
import Plan
import Tensors

/// Which preprocessing a command uses, and where it is from: whoever wonders about wrong answers
/// finds it at the head of the output, and with `--json` in the summary.
struct PreprocessingNote: Encodable, Equatable {
  /// Where a preprocessing is from.
  typealias Origin = PreprocessingOrigin

  /// What happens to an image, in words.
  let steps: String
  /// Where that is from.
  let origin: Origin
  /// Whether it is what is taken where nothing says otherwise.
  let isDefault: Bool

  /// The note on a preprocessing for an input of the given shape.
  init(_ preprocessing: Preprocessing, from origin: Origin, input: Shape) {
    steps = preprocessing.steps
    self.origin = origin
    isDefault = preprocessing == .usual(for: input)
  }

  /// The note on a plan's preprocessing; nil where its model does not take images.
  init?(of folder: PlanFolder) {
    guard let preprocessing = folder.plan.model.preprocessing,
      let input = folder.plan.graph.inputs.first
    else { return nil }
    self.init(preprocessing, from: .plan(folder.id), input: folder.plan.graph[input].shape)
  }

  /// One line for people; see also `ModelCard.assumptions` for what nothing says.
  var text: String {
    let start =
      switch origin {
      case .option(let file): "preprocessing from \(file) (--preprocessing): "
      case .card(let file): "preprocessing from \(file): "
      case .plan(let id): "preprocessing from plan \(id): "
      case .standard: "preprocessing by default: "
      }
    guard isDefault, case .plan = origin else { return start + steps }
    return start + steps + "; this is what martlet plan takes where nothing says otherwise, and "
      + "martlet plan --preprocessing FILE sets another"
  }

  private enum CodingKeys: String, CodingKey {
    case from, source, steps
    case isDefault = "is_default"
  }

  func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode(origin.name, forKey: .from)
    try fields.encodeIfPresent(origin.source, forKey: .source)
    try fields.encode(steps, forKey: .steps)
    try fields.encode(isDefault, forKey: .isDefault)
  }
}

extension Preprocessing {
  /// What happens to an image, in order and in words.
  var steps: String {
    var steps = [channels == 1 ? "grey" : "RGB"]
    if let resizeExact {
      steps.append("resized to \(resizeExact[0])x\(resizeExact[1]) (\(interpolation.rawValue))")
    } else if let resizeShort {
      steps.append("short side \(resizeShort) (\(interpolation.rawValue))")
    }
    if let crop { steps.append("centre \(crop[0])x\(crop[1])") }
    steps.append("times \(scale)")
    steps.append("minus " + mean.map { "\($0)" }.joined(separator: " "))
    steps.append("divided by " + deviation.map { "\($0)" }.joined(separator: " "))
    if layout == .channelsLast { steps.append("channels last") }
    return steps.joined(separator: ", ")
  }
}
