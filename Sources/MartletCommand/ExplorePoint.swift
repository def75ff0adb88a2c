import Evaluation
import Plan
import Planning
import Resilience

/// What one placement costs and what it keeps.
struct ExplorePoint: Encodable {
  struct Protected: Encodable {
    var layer: String
    var protection: String
  }

  var name: String
  var series: String
  /// Others that came to the same placement.
  var also: [Placed.Twin]
  var tolerate: Int?
  var survive: Int?
  var budget: Double?
  /// Bytes of weights of all devices over those of the model.
  var copies: Double
  /// On the device with the most.
  var largestWeightBytes: Int
  /// Of the busiest device while all are there.
  var multiplyAdds: Int
  /// Of the busiest device in the worst case of one failure.
  var multiplyAddsAfterFailure: Int
  /// Per frame, by the device that sends most.
  var bytesSent: Int
  /// By device, while all are there.
  var devices: [DeviceCost]
  var protections: [Protected]?
  /// Share of calibration answers that stay, by number of failures from 1 on.
  var agreement: [Double]?
  var failures: [StudyReport.Failures]
  /// The numbers of failures for which no other placement is cheaper and better.
  var front: [Int] = []
  var sets: [StudyReport.FailureSet]

  private enum CodingKeys: String, CodingKey {
    case name, series, also, tolerate, survive, budget, copies, devices, protections, agreement,
      failures, front, sets
    case largestWeightBytes = "largest_weight_bytes"
    case multiplyAdds = "multiply_adds"
    case multiplyAddsAfterFailure = "multiply_adds_after_failure"
    case bytesSent = "bytes_sent"
  }

  init(_ placed: Placed, _ plan: Plan, _ table: FailureTable) {
    name = placed.name
    series = placed.series
    also = placed.also
    tolerate = placed.tolerate
    survive = placed.survive
    budget = placed.budget
    devices = plan.devices.indices.map { plan.cost(of: $0) }
    copies = devices.copies(of: plan)
    largestWeightBytes = devices.map(\.weightBytes).max() ?? 0
    multiplyAdds = devices.map(\.multiplyAdds).max() ?? 0
    multiplyAddsAfterFailure = plan.largestMultiplyAddsAfterFailure
    bytesSent = devices.map(\.bytesSent).max() ?? 0
    protections = placed.protections.map { protections in
      zip(plan.sharding.layers, protections).map {
        Protected(layer: $0.id, protection: $1.name)
      }
    }
    agreement = placed.agreement
    failures = table.summaries.map { .init($0, of: table) }
    sets = table.rows.map { .init($0, of: table) }
  }

  /// Whether it is a placement of a series, under whichever name.
  func belongs(to series: String) -> Bool {
    self.series == series || also.contains { $0.series == series }
  }

  /// The mean accuracy over the choices of so many failing devices.
  func average(_ failures: Int) -> Double {
    self.failures.first { $0.failures == failures }?.average.accuracy ?? 0
  }
}

extension Plan {
  /// Multiply-adds of the busiest device, whichever one device is gone.
  fileprivate var largestMultiplyAddsAfterFailure: Int {
    devices.indices.flatMap { failed in
      let alive = devices.indices.map { $0 != failed }
      return devices.indices.filter { alive[$0] }.map {
        multiplyAdds(of: $0, attendance: Attendance(alive: alive))
      }
    }.max() ?? 0
  }
}
