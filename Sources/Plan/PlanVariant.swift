import ModelGraph

/// How a plan's frames run with one attendance: what is split where, and who computes which neurons.
struct PlanVariant {
  let sharding: Sharding
  /// By layer.
  let layers: [LayerAssignment]
  /// Whether every copy and every parity block is sent, so that receivers choose among them.
  private(set) var sendsEverything = false
  /// Who takes how many rows, where the front is divided by rows.
  private(set) var rowOwners: StripLayout.Owners?

  /// What happens with this attendance.
  init(_ plan: Plan, _ attendance: Attendance) {
    guard attendance.replicas == .active else {
      self.init(plan, plan.placements.map { LayerAssignment($0, attendance) })
      setRowOwners(plan, attendance)
      return
    }
    self.init(everythingOf: plan, decoding: true)
    sendsEverything = true
    setRowOwners(plan, attendance)
  }

  /// Everything that any attendance may need: what shards are filled from.
  init(everythingOf plan: Plan, decoding: Bool) {
    self.init(
      plan,
      plan.placements.map {
        LayerAssignment(everythingOf: $0, devices: plan.devices.count, decoding: decoding)
      })
  }

  private mutating func setRowOwners(_ plan: Plan, _ attendance: Attendance) {
    guard sharding.strips != nil else { return }
    rowOwners = .init(attendance, shares: plan.devices.map(\.share))
  }

  private init(_ plan: Plan, _ layers: [LayerAssignment]) {
    self.layers = layers
    let decoded = layers.indices.filter { layers[$0].recovery != nil }
    sharding = plan.sharding.decoding(Set(decoded), of: plan.graph)
    rowOwners = sharding.strips == nil ? nil : .everybodyAll
  }
}
