package import Foundations
package import Plan
import Resilience

/// What no device may exceed. Energy follows multiply-adds on devices of one kind, so a limit of
/// energy is one of them.
package struct DeviceLimits: Sendable, Hashable {
  /// Bytes of weights.
  package var weightBytes: Int?
  /// Multiply-adds per frame.
  package var multiplyAdds: Int?
  /// Element bytes sent and received per frame, as float32.
  package var traffic: Int?
  /// Multiply-adds and traffic have to hold while up to so many devices are missing; with 0 only while
  /// all are there. Weights are held always.
  package var failures: Int

  /// Makes limits.
  package init(
    weightBytes: Int? = nil, multiplyAdds: Int? = nil, traffic: Int? = nil, failures: Int = 0
  ) {
    self.weightBytes = weightBytes
    self.multiplyAdds = multiplyAdds
    self.traffic = traffic
    self.failures = failures
  }

  /// Whether programs have to be made to find out what devices compute and send.
  var needPrograms: Bool { multiplyAdds != nil || traffic != nil }

  /// What a plan's busiest devices compute and exchange while up to `failures` are missing.
  ///
  /// - Throws: what `FailureSets.upTo` throws.
  package func load(of plan: Plan) throws(MartletError) -> Load {
    var load = Load()
    for failed in try FailureSets.upTo(failures, devices: plan.devices.count) {
      let alive = plan.devices.indices.map { !failed.contains($0) }
      for device in plan.devices.indices where alive[device] {
        let cost = plan.cost(of: device, attendance: Attendance(alive: alive))
        load.multiplyAdds = max(load.multiplyAdds, cost.multiplyAdds)
        load.traffic = max(load.traffic, cost.bytesSent + cost.bytesReceived)
      }
    }
    return load
  }

  /// The most of any device.
  package struct Load: Sendable, Hashable {
    /// Per frame.
    package var multiplyAdds = 0
    /// Bytes per frame.
    package var traffic = 0

    /// Nothing yet.
    package init() {}
  }

  /// Whether a load is within the limits.
  func allow(_ load: Load) -> Bool {
    load.multiplyAdds <= multiplyAdds ?? .max && load.traffic <= traffic ?? .max
  }
}
