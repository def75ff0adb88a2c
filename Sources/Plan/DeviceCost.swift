import ModelGraph
import TensorCore

/// What a device holds, computes, sends and receives for one frame.
public struct DeviceCost: Sendable, Hashable, Codable {
  /// Neurons, over all layers.
  public var neurons: Int
  /// Bytes of weights, as float32.
  public var weightBytes: Int
  /// Multiply-adds per frame.
  public var multiplyAdds: Int
  /// Element bytes published per frame, as float32.
  public var bytesSent: Int
  /// Element bytes received per frame, the input included, as float32.
  public var bytesReceived: Int

  private enum CodingKeys: String, CodingKey {
    case neurons
    case weightBytes = "weight_bytes"
    case multiplyAdds = "multiply_adds"
    case bytesSent = "bytes_sent"
    case bytesReceived = "bytes_received"
  }
}

extension Plan {
  /// The cost of one device.
  public func cost(of device: Int) -> DeviceCost {
    let program = program(device: device)
    let size = ElementType.float32.size
    let input = program.graph.inputs.reduce(0) { $0 + program.graph[$1].shape.count }
    return DeviceCost(
      neurons: parts.reduce(0) { $0 + $1[device].count },
      weightBytes: program.constants.keys.reduce(0) { $0 + program.graph[$1].shape.count } * size,
      multiplyAdds: program.graph.nodes.reduce(0) { $0 + program.graph.multiplyAdds(of: $1) },
      bytesSent: size
        * program.publications.reduce(0) { $0 + exchanges[$1.exchange].partShape(device).count },
      bytesReceived: size
        * (input
          + program.gatherings.reduce(0) { sum, gathering in
            let exchange = exchanges[gathering.exchange]
            return sum + exchange.shape.count - exchange.partShape(device).count
          }))
  }
}
