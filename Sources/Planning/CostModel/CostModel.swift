import Kernels
package import Plan

/// Predicts what frames of a plan take on given devices and a given network, without running
/// anything.
///
/// It looks at the devices' own programs, so it knows nothing about methods: whatever a program
/// computes, sends and gathers is priced. The time of a kernel follows from the shapes of its node and
/// the device's profile; `FrameTimeline` adds up what waits for what. Frames a second follow from
/// whatever is busy longest in one frame.
package struct CostModel: Sendable {
  /// What predictions are made for.
  package let assumptions: CostAssumptions

  /// Predicts under assumptions for as many devices as the plans have.
  package init(_ assumptions: CostAssumptions) { self.assumptions = assumptions }

  /// Predicts a plan's frames.
  ///
  /// - Parameters:
  ///   - attendance: who takes part; everybody if nil.
  /// - Precondition: the assumptions are for the plan's devices.
  package func predict(plan: Plan, attendance: Attendance? = nil) -> CostPrediction {
    let attendance = attendance ?? .everyone(plan.devices.count)
    if plan.dispatchesFrames {
      return predictWhole(plan, plan.devices.indices.filter { attendance[$0] != .absent })
    }
    let normal = plan.normalised(attendance)
    let devices = plan.devices.indices.map { device -> ProgramWork? in
      guard attendance[device] != .absent else { return nil }
      return ProgramWork(plan, device: device, attendance: normal)
    }
    let client = ProgramWork(plan, device: nil, attendance: normal)
    return prediction(devices + [client]).prediction
  }

  /// Predicts the plan's frames when one device is lost for good, whichever makes them slowest.
  package func predictLoss(plan: Plan) -> CostPrediction? {
    guard plan.devices.count > 1 else { return nil }
    return plan.devices.indices.map { lost in
      predict(plan: plan, attendance: Attendance(alive: plan.devices.indices.map { $0 != lost }))
    }.max { $0.latency < $1.latency }
  }

  /// Predicts the whole model on one device, the fastest.
  package func predictAlone(plan: Plan) -> LonePrediction {
    let work = GraphWork(wholeModel: plan.graph)
    let times = assumptions.profiles.map { profile in
      work.nodes.reduce(0) { $0 + profile.seconds($1) }
    }
    let device = times.indices.min { times[$0] < times[$1] } ?? 0
    return LonePrediction(
      device: device, latency: times[device], memoryBytes: work.arenaBytes + work.weightBytes)
  }

  private func prediction(_ work: [ProgramWork?]) -> Busy {
    var timeline = FrameTimeline(work, assumptions)
    let latency = timeline.run()
    let client = work.count - 1
    var seconds: [(CostPrediction.Resource, Double)] = [
      (.brokerLink, max(timeline.brokerIn.busy, timeline.brokerOut.busy)),
      (.broker, timeline.broker.busy), (.client, timeline.processors[client].busy),
      (.clientLink, max(timeline.up[client].busy, timeline.down[client].busy)),
    ]
    for device in 0..<client {
      seconds.append((.processor(device), timeline.processors[device].busy))
      seconds.append((.link(device), max(timeline.up[device].busy, timeline.down[device].busy)))
    }
    let narrowest = seconds.max { $0.1 < $1.1 } ?? (.client, latency)
    var peers = timeline.peers
    for peer in peers.indices { peers[peer].processor = timeline.processors[peer].busy }
    let prediction = CostPrediction(
      latency: latency, framesPerSecond: 1 / narrowest.1, narrowest: narrowest.0,
      devices: Array(peers[..<client]), client: peers[client],
      brokerBytesReceived: timeline.brokerBytes.received,
      brokerBytesSent: timeline.brokerBytes.sent,
      exchanges: work.map { $0?.stages.count { !$0.gathers.isEmpty } ?? 0 }.max() ?? 0)
    return Busy(prediction: prediction, seconds: seconds)
  }

  /// A prediction, and how long each resource is busy in a frame.
  private struct Busy {
    var prediction: CostPrediction
    var seconds: [(resource: CostPrediction.Resource, seconds: Double)]

    /// What is busy longest among some resources.
    func most(
      _ isMeant: (CostPrediction.Resource) -> Bool
    ) -> (resource: CostPrediction.Resource, seconds: Double)? {
      seconds.filter { isMeant($0.resource) }.max { $0.seconds < $1.seconds }
    }
  }

  /// Each frame goes to one of the devices: its time is that of the fastest, and the devices' rates add
  /// up until something that they share has enough.
  private func predictWhole(_ plan: Plan, _ present: [Int]) -> CostPrediction {
    let each = present.map { device in
      let alone = Attendance.only(device, of: plan.devices.count)
      var work = [ProgramWork?](repeating: nil, count: plan.devices.count)
      work[device] = ProgramWork(plan, device: device, attendance: alone)
      return prediction(work + [ProgramWork(plan, device: nil, attendance: alone)])
    }
    guard let fastest = each.min(by: { $0.prediction.latency < $1.prediction.latency }) else {
      return prediction(plan.devices.map { _ in nil } + [nil]).prediction
    }
    var result = fastest.prediction
    // By frames: what a device does in one second must fit, and what all share in one frame.
    let rate = each.reduce(0) { $0 + 1 / ($1.most { $0.device != nil }?.seconds ?? .infinity) }
    let shared = each.compactMap { $0.most { $0.device == nil } }.max { $0.seconds < $1.seconds }
    result.framesPerSecond = rate
    result.narrowest = fastest.most { $0.device != nil }?.resource ?? result.narrowest
    if let shared, 1 / shared.seconds < rate {
      result.framesPerSecond = 1 / shared.seconds
      result.narrowest = shared.resource
    }
    for (device, own) in zip(present, each) {
      result.devices[device] = own.prediction.devices[device]
    }
    return result
  }
}
