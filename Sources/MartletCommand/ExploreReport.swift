import Charts
import Evaluation
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
    fill = table.fill
    self.calibrationImages = calibrationImages
    self.against = against
    self.points = points
    self.leftOut = leftOut
    for failures in failures {
      let front = ParetoFront.of(
        points.map { .init(cost: against.cost(of: $0), value: $0.average(failures)) })
      for number in front { self.points[number].front.append(failures) }
    }
  }

  /// The numbers of failures, from none.
  var failures: [Int] { points.first?.failures.map(\.failures) ?? [] }

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
    for name in points.map(\.series) + points.flatMap(\.also).map(\.series)
    where !names.contains(name) { names.append(name) }
    let shown = failures.filter { $0 > 0 }
    let series = names.map { name in
      let own = points.filter { $0.belongs(to: name) }
      return ScatterChart.Series(
        name: name, isJoined: own.count > 1,
        points: shown.map { failures in
          own.map { point in
            let worst = point.failures.first { $0.failures == failures }?.minimum.top1.accuracy
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
