import Evaluation
import Foundations
import ModelGraph
import Plan
import Resilience
import TensorFiles

/// What a study found, for scripts and people.
struct StudyReport: Encodable {
  struct Accuracy: Encodable {
    var accuracy: Double
    var low: Double
    var high: Double

    init(_ estimate: FailureTable.Estimate) {
      accuracy = estimate.accuracy
      low = estimate.interval.lower
      high = estimate.interval.upper
    }
  }

  struct Extreme: Encodable {
    var failed: [String]
    var top1: Accuracy
  }

  struct Failures: Encodable {
    var failures: Int
    var sets: Int
    var isComplete: Bool
    var average: Accuracy
    var averageTop5: Double
    var minimum: Extreme
    var maximum: Extreme
    var lostNeurons: Double

    private enum CodingKeys: String, CodingKey {
      case failures, sets, average, minimum, maximum
      case isComplete = "complete"
      case averageTop5 = "average_top5"
      case lostNeurons = "lost_neurons"
    }
  }

  struct FailureSet: Encodable {
    var failed: [String]
    var correct: Int
    var top1: Accuracy
    var top5: Double
    var confidence: Double
    var lostNeurons: Int
    /// Whether nothing reaches the last layer, so that the numbers are those of guessing.
    var guess: Bool

    private enum CodingKeys: String, CodingKey {
      case failed, correct, top1, top5, confidence, guess
      case lostNeurons = "lost_neurons"
    }
  }

  /// The frame in which the devices die.
  struct AtLoss: Encodable {
    var replicas: String
    var rowFill: String
    var failures: [Failures]
    var sets: [FailureSet]

    private enum CodingKeys: String, CodingKey {
      case replicas, failures, sets
      case rowFill = "row_fill"
    }
  }

  struct Device: Encodable {
    var name: String
    /// Neurons that it holds, of all.
    var copies: Double
    /// Bytes of weights that it holds, of the model's.
    var weightCopies: Double
    var cost: DeviceCost

    private enum CodingKeys: String, CodingKey {
      case name, copies, cost
      case weightCopies = "weight_copies"
    }
  }

  struct PlanReport: Encodable {
    var plan: String
    var label: String
    var folder: String
    var method: String
    var fill: String
    /// How parts travelled; absent if exactly.
    var wire: String?
    var scenario: String?
    var copies: Double
    var weightCopies: Double
    var devices: [Device]
    var failures: [Failures]
    var sets: [FailureSet]
    var atLoss: AtLoss?
    var reliabilities: [Double]?
    var expectedAccuracy: Double?

    private enum CodingKeys: String, CodingKey {
      case plan, label, folder, method, fill, wire, scenario, copies, devices, failures, sets,
        reliabilities
      case atLoss = "at_loss"
      case weightCopies = "weight_copies"
      case expectedAccuracy = "expected_accuracy"
    }
  }

  var model: String
  var images: Int
  var imagesDigest: String
  /// Test and calibration images that could not be read.
  var unreadableImages = 0
  var plans: [PlanReport]

  private enum CodingKeys: String, CodingKey {
    case model, images, plans
    case imagesDigest = "images_sha256"
    case unreadableImages = "unreadable_images"
  }

  init(
    model: String, folders: [PlanFolder], tables: [FailureTable], reliabilities: [[Double]?]
  ) throws(MartletError) {
    self.model = model
    images = tables[0].images
    imagesDigest = tables[0].imagesDigest
    plans = []
    let labels = StudyReport.labels(folders)
    for (index, (folder, table)) in zip(folders, tables).enumerated() {
      plans.append(
        try PlanReport(
          folder, table, label: labels[index], reliabilities: reliabilities[index]))
    }
  }

  /// The method's name without its options, or the folder's where several plans for as many devices
  /// have one method.
  private static func labels(_ folders: [PlanFolder]) -> [String] {
    return folders.map { folder in
      let isAlone =
        folders.count {
          $0.plan.methodName == folder.plan.methodName
            && $0.plan.devices.count == folder.plan.devices.count
        } == 1
      return isAlone ? folder.plan.methodName : FileSystem.name(of: folder.path)
    }
  }
}

extension StudyReport.Failures {
  init(_ summary: FailureTable.Summary, of table: FailureTable) {
    func extreme(_ value: FailureTable.Summary.Extreme) -> StudyReport.Extreme {
      .init(failed: value.failed.map { table.devices[$0] }, top1: .init(value.estimate))
    }
    self.init(
      failures: summary.failures, sets: summary.sets, isComplete: summary.isComplete,
      average: .init(summary.average), averageTop5: summary.averageTop5,
      minimum: extreme(summary.minimum), maximum: extreme(summary.maximum),
      lostNeurons: summary.lostNeurons)
  }
}

extension StudyReport.FailureSet {
  init(_ row: FailureTable.Row, of table: FailureTable) {
    self.init(
      failed: row.failed.map { table.devices[$0] }, correct: row.correct,
      top1: .init(table.estimate(row)), top5: Double(row.correctTop5) / Double(table.images),
      confidence: row.confidence, lostNeurons: row.lostNeurons, guess: row.isGuess)
  }
}

extension StudyReport.PlanReport {
  init(
    _ folder: PlanFolder, _ table: FailureTable, label: String, reliabilities: [Double]?
  ) throws(MartletError) {
    plan = folder.id
    self.label = label
    self.folder = folder.path
    method = folder.plan.method
    fill = table.fill.rawValue
    wire = table.wire
    scenario = FailureTable.scenario(devices: table.devices.count)
    let held = folder.plan.heldNeurons
    let neurons = folder.plan.sharding.layers.reduce(0) { $0 + $1.neurons * $1.unitsPerNeuron }
    let whole = folder.plan.constantBytes
    devices = folder.plan.devices.enumerated().map { number, device in
      let cost = folder.plan.cost(of: number)
      return .init(
        name: device.name, copies: Double(held[number]) / Double(max(neurons, 1)),
        weightCopies: Double(cost.weightBytes) / Double(max(whole, 1)), cost: cost)
    }
    copies = devices.reduce(0) { $0 + $1.copies }
    weightCopies = devices.reduce(0) { $0 + $1.weightCopies }
    failures = table.summaries.map { .init($0, of: table) }
    sets = table.rows.map { .init($0, of: table) }
    atLoss = table.atLoss.map { atLoss in
      .init(
        replicas: atLoss.replicas.rawValue, rowFill: atLoss.rowFill.rawValue,
        failures: table.lossSummaries.map { .init($0, of: table) },
        sets: atLoss.rows.map { .init($0, of: table) })
    }
    self.reliabilities = reliabilities
    expectedAccuracy = try reliabilities.map { values throws(MartletError) in
      try table.expectedAccuracy(reliabilities: values)
    }
  }
}

extension Plan {
  /// Neurons that each device holds, replicas and parity included.
  fileprivate var heldNeurons: [Int] {
    var held = [Int](repeating: 0, count: devices.count)
    for (placement, layer) in zip(placements, sharding.layers) {
      for holders in placement.holders {
        // In a coded layer only the primary has a neuron's weights.
        for device in placement.code == nil ? holders[...] : holders.prefix(1) {
          held[device] += layer.unitsPerNeuron
        }
      }
      for stripe in placement.code?.stripes ?? [] {
        for parity in stripe.parity { held[parity.device] += stripe.width }
      }
    }
    return held
  }
}
