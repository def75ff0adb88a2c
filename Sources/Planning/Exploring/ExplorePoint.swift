package import Plan
package import Resilience

/// What one placement costs and what it keeps.
package struct ExplorePoint: Sendable {
  /// What was placed.
  package let placed: ExploredPlacement
  /// Bytes of weights of all devices over those of the model.
  package let copies: Double
  /// By device, while all are there.
  package let devices: [DeviceCost]
  /// Multiply-adds of the busiest device in the worst case of one failure.
  package let multiplyAddsAfterFailure: Int
  /// The protection of each layer, by the layer's name, where it was chosen layer by layer.
  package let protections: [(layer: String, protection: String)]?
  /// What is left after failures.
  package let table: FailureTable
  /// By number of failures.
  package let summaries: [FailureTable.Summary]
  /// The numbers of failures for which no other placement is cheaper and better.
  package internal(set) var front: [Int] = []

  init(_ placed: ExploredPlacement, _ plan: Plan, _ table: FailureTable) {
    self.placed = placed
    self.table = table
    let figures = PlanFigures(plan, placed.result)
    devices = figures.devices
    copies = figures.copies
    protections = figures.protections
    multiplyAddsAfterFailure = plan.largestMultiplyAddsAfterFailure
    summaries = table.summaries
  }

  /// Weights of the device with the most.
  package var largestWeightBytes: Int { devices.map(\.weightBytes).max() ?? 0 }
  /// Of the busiest device while all are there.
  package var multiplyAdds: Int { devices.map(\.multiplyAdds).max() ?? 0 }
  /// Per frame, by the device that sends most.
  package var bytesSent: Int { devices.map(\.bytesSent).max() ?? 0 }

  /// Whether it is a placement of a series, under whichever name.
  package func belongs(to series: String) -> Bool {
    placed.variant.series == series || placed.also.contains { $0.series == series }
  }

  /// The mean accuracy over the choices of so many failing devices.
  package func average(_ failures: Int) -> Double {
    summaries.first { $0.failures == failures }?.average.accuracy ?? 0
  }
}

extension [ExplorePoint] {
  /// Marks, for each number of failures, the points that no other beats in cost and accuracy.
  package mutating func markFronts(against axis: ExploreAxis) {
    for failures in first?.summaries.map(\.failures) ?? [] {
      let front = ParetoFront.of(
        map { .init(cost: axis.cost(of: $0), value: $0.average(failures)) })
      for number in front { self[number].front.append(failures) }
    }
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
