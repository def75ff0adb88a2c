package import Foundations
import ModelGraph
package import Plan
package import Tensors

/// Frames in which devices of a plan die before they have sent any of it, with all devices in this
/// process: what a study of such frames runs.
package struct LossFrames: Sendable {
  /// What a frame came to: its first output, empty where nothing reached the last layer, and the neurons
  /// that somebody went on without, over all layers.
  package typealias Outcome = (scores: [Float], lostNeurons: Int)

  private let devices: [DeviceEngines]
  private let client: DeviceEngines
  private let wire: ElementType?
  private let replicas: Replicas

  /// Loads all devices.
  ///
  /// - Parameters:
  ///   - plan: the folder's, perhaps with another fill.
  ///   - folder: where the weights are.
  ///   - wire: how parts travel; as the plan says if nil.
  ///   - rowFill: what stands in for lost rows.
  ///   - replicas: whether copies and parity are there all the same.
  /// - Throws: what `DeviceEngines` throws.
  package init(
    _ plan: Plan, of folder: PlanFolder, wire: ElementType?, rowFill: Plan.RowFill,
    replicas: Replicas
  ) throws(MartletError) {
    func engines(_ device: Int?) throws(MartletError) -> DeviceEngines {
      try DeviceEngines(
        plan: plan, device: device, constants: try folder.constants(device: device),
        rowFill: rowFill)
    }
    devices = try plan.devices.indices.map { device throws(MartletError) in try engines(device) }
    client = try engines(nil)
    self.wire = wire
    self.replicas = replicas
  }

  /// Runs frames in one thread, with a working memory of its own; the weights are shared.
  ///
  /// - Returns: a function of an input's elements and the devices that die.
  package func runner() -> (_ input: [Float], _ failed: [Int]) throws(MartletError) -> Outcome {
    let plan = client.plan
    let shape = plan.graph.inputs.first.map { plan.graph[$0].shape } ?? []
    let attendance = Attendance.everyone(devices.count, replicas: replicas)
    let cluster = LocalCluster(devices: devices, client: client, wire: wire)
    let replicas = replicas
    return { input, failed throws(MartletError) in
      let frame = try cluster.run(
        [Tensor(shape, input)], losing: Set(failed), replicas: replicas)
      return (
        frame.outputs.first?.floats ?? [],
        frame.missing.lostNeurons(of: plan, attendance: attendance)
      )
    }
  }
}
