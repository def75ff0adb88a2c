import Charts
import Evaluation
import Plan
import Planning
import Resilience

/// What an exploration found, for scripts and people.
struct ExploreReport: Encodable {
  var model: String
  var devices: Int
  var images: Int
  var imagesDigest: String
  var calibrationImages: Int
  /// Test and calibration images that could not be read.
  var unreadableImages = 0
  var fill: String
  /// The cost that the front is about.
  var against: ExploreAxis
  var points: [ExplorePoint]
  var leftOut: [PlacementCollection.LeftOut]

  private enum CodingKeys: String, CodingKey {
    case model, devices, images, fill, against, points
    case imagesDigest = "images_sha256"
    case calibrationImages = "calibration_images"
    case unreadableImages = "unreadable_images"
    case leftOut = "left_out"
  }

  /// - Parameter table: of any point; all saw the same images.
  init(
    model: String, calibrationImages: Int, against: ExploreAxis,
    leftOut: [PlacementCollection.LeftOut], points: [ExplorePoint], table: FailureTable
  ) {
    self.model = model
    devices = table.devices.count
    images = table.images
    imagesDigest = table.imagesDigest
    fill = table.fill.rawValue
    self.calibrationImages = calibrationImages
    self.against = against
    self.points = points
    self.leftOut = leftOut
    self.points.markFronts(against: against)
  }

  /// The numbers of failures, from none.
  var failures: [Int] { points.first?.summaries.map(\.failures) ?? [] }

  /// The points that no other beats, by cost.
  func front(_ failures: Int) -> [ExplorePoint] {
    points.filter { $0.front.contains(failures) }
      .sorted { against.cost(of: $0) < against.cost(of: $1) }
  }

  /// Accuracy over cost, a panel for each number of failures.
  var chart: ScatterChart {
    let unit = against.unit(for: points.map { against.cost(of: $0) }.max() ?? 1)
    func place(_ point: ExplorePoint) -> Double { against.cost(of: point) / unit.size }
    var names: [String] = []
    for name in points.map(\.placed.variant.series) + points.flatMap(\.placed.also).map(\.series)
    where !names.contains(name) { names.append(name) }
    let shown = failures.filter { $0 > 0 }
    let series = names.map { name in
      let own = points.filter { $0.belongs(to: name) }
      return ScatterChart.Series(
        name: name, isJoined: own.count > 1,
        points: shown.map { failures in
          own.map { point in
            let worst = point.summaries.first { $0.failures == failures }?
              .minimum.estimate.accuracy
            return ScatterChart.Point(
              place(point), point.average(failures) * 100, low: worst.map { $0 * 100 })
          }
        })
    }
    let label = against.summary + (unit.name.isEmpty ? "" : ", \(unit.name)")
    return ScatterChart(
      title: "\(model) on \(devices) devices: accuracy after failures",
      description: "Top-1 accuracy on \(images) images when devices fail, \(fill) fill, against "
        + "\(label). Points: average over which devices fail. Whiskers: down to the worst.",
      xLabel: label, yLabel: "top-1 accuracy, %",
      panels: shown.map { failures in
        ScatterChart.Panel(
          name: "\(failures) of \(devices) fail\(failures == 1 ? "s" : "")",
          front: front(failures).map { .init(place($0), $0.average(failures) * 100) })
      }, series: series,
      references: points.first.map {
        [.init(name: "no failures", value: $0.average(0) * 100)]
      } ?? [])
  }
}

extension ExploreReport {
  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(model, forKey: .model)
    try container.encode(devices, forKey: .devices)
    try container.encode(images, forKey: .images)
    try container.encode(imagesDigest, forKey: .imagesDigest)
    try container.encode(calibrationImages, forKey: .calibrationImages)
    try container.encode(unreadableImages, forKey: .unreadableImages)
    try container.encode(fill, forKey: .fill)
    try container.encode(against, forKey: .against)
    try container.encode(points.map(Point.init), forKey: .points)
    try container.encode(leftOut, forKey: .leftOut)
  }

  /// A point for scripts.
  private struct Point: Encodable {
    struct Protected: Encodable {
      var layer: String
      var protection: String
    }

    var name: String
    var series: String
    var also: [ExploredPlacement.Twin]
    var tolerate: Int?
    var survive: Int?
    var budget: Double?
    /// The method's options, besides those of the whole exploration.
    var options: [String: String]
    var copies: Double
    var largestWeightBytes: Int
    var multiplyAdds: Int
    var multiplyAddsAfterFailure: Int
    var bytesSent: Int
    var devices: [DeviceCost]
    var protections: [Protected]?
    var agreement: [Double]?
    var failures: [StudyReport.Failures]
    var front: [Int]
    var sets: [StudyReport.FailureSet]

    private enum CodingKeys: String, CodingKey {
      case name, series, also, tolerate, survive, budget, options, copies, devices, protections,
        agreement, failures, front, sets
      case largestWeightBytes = "largest_weight_bytes"
      case multiplyAdds = "multiply_adds"
      case multiplyAddsAfterFailure = "multiply_adds_after_failure"
      case bytesSent = "bytes_sent"
    }

    init(_ point: ExplorePoint) {
      let variant = point.placed.variant
      name = variant.name
      series = variant.series
      also = point.placed.also
      tolerate = point.option("tolerate").flatMap { Int($0) }
      survive = point.option("survive").flatMap { Int($0) }
      budget = variant.budget
      options = variant.options
      copies = point.copies
      largestWeightBytes = point.largestWeightBytes
      multiplyAdds = point.multiplyAdds
      multiplyAddsAfterFailure = point.multiplyAddsAfterFailure
      bytesSent = point.bytesSent
      devices = point.devices
      protections = point.protections?.map { Protected(layer: $0.layer, protection: $0.protection) }
      agreement = point.placed.result.agreement
      failures = point.summaries.map { .init($0, of: point.table) }
      front = point.front
      sets = point.table.rows.map { .init($0, of: point.table) }
    }
  }
}

extension ExplorePoint {
  /// One of its method's options, as text.
  func option(_ name: String) -> String? { placed.variant.options[name] }
}
