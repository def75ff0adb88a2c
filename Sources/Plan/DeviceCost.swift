package import ModelGraph
package import Tensors

/// What a device holds, computes, sends and receives for one frame while all devices are there; for
/// one of its own frames, where each goes to one device.
package struct DeviceCost: Sendable, Hashable, Codable {
  /// Neurons that it computes, over all layers.
  package var neurons: Int
  /// Bytes of weights that it holds, replicas and parity included, as they are stored.
  package var weightBytes: Int
  /// Multiply-adds per frame.
  package var multiplyAdds: Int
  /// Element bytes published per frame, as the plan lets parts travel, with the scales of those that have one.
  package var bytesSent: Int
  /// Element bytes received per frame in the same way, and the input as float32.
  package var bytesReceived: Int

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
  ///
  /// - Parameters:
  ///   - attendance: who is there; `usualAttendance` if nil.
  ///   - wire: how all parts travel; as the plan says if nil.
  package func cost(
    of device: Int, attendance: Attendance? = nil, wire: ElementType? = nil
  ) -> DeviceCost {
    let program = program(
      device: device, attendance: attendance ?? usualAttendance(of: device))
    let types = wireTypes(wire)
    func bytes(_ shape: Shape, of exchange: Int) -> Int {
      shape.count * types[exchange].size
        + (types[exchange].hasScale ? PackedElements.scaleBytes : 0)
    }
    var input = program.graph.inputs.reduce(0) { $0 + program.graph[$1].shape.count }
    if let rows = inputRows(attendance ?? .everyone(devices.count)) {
      input = input / graph[graph.inputs[0]].shape[2] * rows[device].count
    }
    return DeviceCost(
      neurons: zip(placements, sharding.layers).reduce(0) { sum, layer in
        sum + layer.0.holders.count { dispatchesFrames || $0[0] == device }
          * layer.1.unitsPerNeuron
      },
      weightBytes: ShardInventory(self, device: device).bytes,
      multiplyAdds: program.graph.multiplyAdds,
      bytesSent: program.publications.reduce(0) {
        $0 + bytes(program.graph[$1.value].shape, of: $1.exchange)
      },
      bytesReceived: input * ElementType.float32.size
        + program.gatherings.reduce(0) { sum, gathering in
          gathering.parts.reduce(sum) {
            $0 + ($1.device == device ? 0 : bytes($1.shape, of: gathering.exchange))
          }
        })
  }

  /// The multiply-adds of one device per frame, without what it takes to find the other costs.
  package func multiplyAdds(of device: Int, attendance: Attendance) -> Int {
    program(device: device, attendance: attendance).graph.multiplyAdds
  }
}

extension [DeviceCost] {
  /// The weight bytes of all devices over those of the plan's model, stored alike.
  package func copies(of plan: Plan) -> Double {
    Double(reduce(0) { $0 + $1.weightBytes }) / Double(Swift.max(plan.constantBytes, 1))
  }
}

extension Graph {
  /// Bytes of all constants as float32, told from the structure, because the graph of a plan keeps no
  /// elements of constants.
  package var constantBytes: Int {
    structuralConstants.reduce(0) { $0 + self[$1].shape.count } * ElementType.float32.size
  }

  /// Of all nodes.
  fileprivate var multiplyAdds: Int { nodes.reduce(0) { $0 + multiplyAdds(of: $1) } }
}
