public import ArgumentParser
import Plan
public import Planning
import TensorCore

/// The methods of `martlet plan`.
enum PlanMethod: String, ExpressibleByArgument, CaseIterable {
  case lop, interleaved, robustdice, replicate, cdc, coded, budget, vertical

  /// One line for a listing.
  var summary: String {
    switch self {
    case .lop: "contiguous runs of neurons (layer output partitioning)"
    case .interleaved: "neurons sorted by l1 importance and dealt round robin"
    case .robustdice: "groups of similar importance, padded with replicas, dealt round robin"
    case .replicate: "every neuron on every device (DMR, TMR, QMR)"
    case .cdc: "as lop, and the last device holds the sum of the others"
    case .coded: "striped erasure code: any --tolerate devices may be lost"
    case .budget: "for each layer what pays most within --copies or --memory"
    case .vertical: "consecutive layers on devices from edge to cloud (deepFogGuard's Vanilla)"
    }
  }

  static var listing: String {
    allCases.map {
      "  " + $0.rawValue + String(repeating: " ", count: 13 - $0.rawValue.count) + $0.summary
    }.joined(separator: "\n")
  }
}

/// A size such as `72MB` on the command line.
struct ByteArgument: ExpressibleByArgument {
  let bytes: Int

  init?(argument: String) {
    let units: [(String, Double)] = [("kB", 1e3), ("MB", 1e6), ("GB", 1e9), ("B", 1)]
    for (unit, factor) in units where argument.hasSuffix(unit) {
      guard let value = Double(argument.dropLast(unit.count)), value > 0, value * factor < 1e15
      else { return nil }
      bytes = Int(value * factor)
      return
    }
    guard let value = Int(argument), value > 0 else { return nil }
    bytes = value
  }
}

/// A count such as `30M` on the command line.
struct CountArgument: ExpressibleByArgument {
  let count: Int

  init?(argument: String) {
    let units: [Character: Double] = ["k": 1e3, "M": 1e6, "G": 1e9]
    let factor = argument.last.flatMap { units[$0] }
    let digits = factor == nil ? argument[...] : argument.dropLast()
    guard let value = Double(digits), value > 0, value * (factor ?? 1) < 1e15 else { return nil }
    count = Int(value * (factor ?? 1))
  }
}

extension ImportanceScores.Score {
  /// The scores that `--importance` names.
  static func list(_ text: String) throws -> [ImportanceScores.Score] {
    let names = text.split(separator: ",").map(String.init)
    let scores = names.compactMap { ImportanceScores.Score(rawValue: $0) }
    guard !scores.isEmpty, scores.count == names.count, Set(scores).count == scores.count else {
      throw ValidationError("--importance takes s1, s2 and s3, separated by commas")
    }
    return scores
  }
}

/// What the methods want to know.
struct MethodOptions: ParsableArguments {
  @Option(help: "How the neurons of each layer are spread; see above.")
  var method: PlanMethod = .interleaved

  @Option(
    help: ArgumentHelp(
      "vertical: the layers that end a device's block, by commas; else multiply-adds are balanced.",
      valueName: "layer,..."))
  var cuts: String?

  @Option(help: "vertical: where each device stands, by commas; edge,fog,cloud unless given.")
  var tiers: String?

  @Option(help: "coded: how many devices may be lost.")
  var tolerate: Int?

  @Option(
    help: ArgumentHelp(
      "robustdice: neurons closer than this are grouped; 0 replicates all, inf nothing.",
      valueName: "distance"))
  var threshold: Double?

  @Option(
    help: "robustdice: JSON file, a threshold for each layer: {\"model_sha256\", \"thresholds\"}.",
    completion: .file())
  var thresholds: String?

  @Option(help: "robustdice, budget: at most this many copies of the weights; 2 unless given.")
  var copies: Double?

  @Option(
    help: ArgumentHelp(
      "robustdice, budget: at most this much weight memory on a device, as 72MB.",
      valueName: "size"))
  var memory: ByteArgument?

  @Option(
    help: ArgumentHelp(
      "budget: at most so many multiply-adds a frame on a device, as 30M.", valueName: "count"))
  var multiplyAdds: CountArgument?

  @Option(
    help: ArgumentHelp(
      "budget: at most so much sent and received a frame by a device, as 200kB.",
      valueName: "size"))
  var traffic: ByteArgument?

  @Option(
    help: """
      budget: when --multiply-adds and --traffic have to hold: healthy, while all devices are there, \
      or failures, also while up to --survive are missing.
      """)
  var limits: LimitsArgument = .failures

  @Option(
    help: "budget: after how many failures most answers should stay; fewer count a tenth each; 1.")
  var survive: Int?

  @Option(help: "budget: instead, survival probability of each device, by commas, or one for all.")
  var reliability: String?

  @Option(
    help: "robustdice, budget: importance of neurons, from martlet score.", completion: .file())
  var scores: String?

  @Option(help: "robustdice: which scores make up the distance: s1, s2, s3 by commas.")
  var importance = "s1,s2,s3"

  @Option(
    help: "robustdice: scores are stretched to 0 to 1 over each layer, the whole model, or none.")
  var normalise: Normalisation = .layer

  @Option(
    help: """
      robustdice: literal, as in Algorithm 1: each group begins at the first device and its first \
      members are copied; or balanced: it begins at the next one, and the most important are copied.
      """)
  var deal: DealArgument = .literal

  @Option(help: "What stands in for lost neurons: zero, or mean over --calibration.")
  var fill: FillArgument = .zero

  @Option(
    parsing: .upToNextOption,
    help: "budget, --fill mean: images to measure with; never those that test the plan.",
    completion: .file())
  var calibration: [String] = []

  @Option(help: "Use at most this many calibration images, evenly chosen.")
  var calibrationLimit = 64

  @Option(help: "Threads that measure; all processors unless given.")
  var threads: Int?

  enum DealArgument: String, ExpressibleByArgument, CaseIterable { case literal, balanced }
  enum LimitsArgument: String, ExpressibleByArgument, CaseIterable { case healthy, failures }
  enum FillArgument: String, ExpressibleByArgument, CaseIterable { case zero, mean }

  func validate() throws {
    func only(_ methods: [PlanMethod], _ option: String, _ isGiven: Bool) throws {
      guard isGiven, !methods.contains(method) else { return }
      let names = methods.map(\.rawValue).joined(separator: " and ")
      throw ValidationError("\(option) is for --method \(names)")
    }
    try only([.vertical], "--cuts", cuts != nil)
    try only([.vertical], "--tiers", tiers != nil)
    try only(PlanMethod.allCases.filter { $0 != .vertical }, "--fill mean", fill == .mean)
    try only([.coded], "--tolerate", tolerate != nil)
    try only([.robustdice], "--threshold", threshold != nil)
    try only([.robustdice], "--thresholds", thresholds != nil)
    try only([.robustdice, .budget], "--copies", copies != nil)
    try only([.robustdice, .budget], "--memory", memory != nil)
    try only([.budget], "--multiply-adds", multiplyAdds != nil)
    try only([.budget], "--traffic", traffic != nil)
    try only([.budget], "--survive", survive != nil)
    try only([.budget], "--reliability", reliability != nil)
    try only([.robustdice, .budget], "--scores", scores != nil)
    let targets = [threshold != nil, thresholds != nil, copies != nil, memory != nil]
    guard targets.count(where: { $0 }) <= 1 else {
      throw ValidationError("give one of --threshold, --thresholds, --copies and --memory")
    }
    guard survive == nil || reliability == nil else {
      throw ValidationError("give either --survive or --reliability")
    }
    guard survive.map({ $0 > 0 }) ?? true else {
      throw ValidationError("--survive must be 1 or more")
    }
    guard copies.map({ $0 >= 1 && $0.isFinite }) ?? true else {
      throw ValidationError("--copies must be 1 or more")
    }
    guard calibrationLimit > 0 else {
      throw ValidationError("--calibration-limit must be 1 or more")
    }
    guard threads.map((1...256).contains) ?? true else {
      throw ValidationError("--threads must be 1 to 256")
    }
    guard (method == .budget || fill == .mean) == !calibration.isEmpty else {
      throw ValidationError("--calibration is for --method budget and --fill mean, which need it")
    }
    _ = try chosenScores()
    _ = try reliabilities(devices: nil)
  }

  /// The scores of `--importance`.
  func chosenScores() throws -> [ImportanceScores.Score] {
    try ImportanceScores.Score.list(importance)
  }

  /// The probabilities of `--reliability`, one for each device if their number is known.
  func reliabilities(devices: Int?) throws -> [Double]? {
    guard let reliability else { return nil }
    let values = try reliability.split(separator: ",", omittingEmptySubsequences: false).map {
      guard let value = Double($0), (0...1).contains(value) else {
        throw ValidationError("--reliability takes probabilities from 0 to 1, not \($0)")
      }
      return value
    }
    guard let devices, values.count != devices else { return values }
    guard values.count == 1 else {
      throw ValidationError("--reliability takes \(devices) probabilities, or one for all")
    }
    return Array(repeating: values[0], count: devices)
  }
}

extension Normalisation: ExpressibleByArgument {}
