import Plan

/// What one device of a plan holds, computes, sends and receives while all devices are there.
public struct DeviceShare: Sendable, Hashable {
  /// The device's name.
  public let name: String
  /// Where it stands, such as `edge`, where the plan says so.
  public let tier: String?
  /// Neurons that it computes, over all layers.
  public let neurons: Int
  /// Bytes of weights that it holds, replicas and parity included, as they are stored.
  public let weightBytes: Int
  /// Multiply-adds for one frame.
  public let multiplyAdds: Int
  /// Bytes that it sends for one frame, as the plan lets parts travel, without headers.
  public let bytesSent: Int
  /// Bytes that it receives for one frame in the same way, and the input as float32, without headers.
  public let bytesReceived: Int

  init(_ device: Plan.Device, _ cost: DeviceCost) {
    name = device.name
    tier = device.tier
    neurons = cost.neurons
    weightBytes = cost.weightBytes
    multiplyAdds = cost.multiplyAdds
    bytesSent = cost.bytesSent
    bytesReceived = cost.bytesReceived
  }

  /// Those of all devices, in order.
  static func all(of plan: Plan) -> [DeviceShare] {
    plan.devices.indices.map { DeviceShare(plan.devices[$0], plan.cost(of: $0)) }
  }
}
