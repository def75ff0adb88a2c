import ModelGraph

/// How a plan's frames run with one attendance: what is split where, and who computes which neurons.
struct PlanVariant {
  let sharding: Sharding
  /// By layer.
  let layers: [LayerAssignment]
  /// Whether every copy and every parity block is sent, so that receivers choose among them.
  private(set) var sendsEverything = false

  /// What happens with this attendance.
  init(_ plan: Plan, _ attendance: Attendance) {
    guard attendance.replicas == .active else {
      self.init(plan, plan.placements.map { LayerAssignment($0, attendance) })
      return
    }
    self.init(everythingOf: plan, decoding: true)
    sendsEverything = true
  }

  /// Everything that any attendance may need: what shards are filled from.
  init(everythingOf plan: Plan, decoding: Bool) {
    self.init(
      plan,
      plan.placements.map {
        LayerAssignment(everythingOf: $0, devices: plan.devices.count, decoding: decoding)
      })
  }

  private init(_ plan: Plan, _ layers: [LayerAssignment]) {
    self.layers = layers
    let decoded = layers.indices.filter { layers[$0].recovery != nil }
    sharding = plan.sharding.decoding(Set(decoded), of: plan.graph)
  }
}
