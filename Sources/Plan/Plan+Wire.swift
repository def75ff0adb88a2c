package import Foundations
package import ModelGraph
package import Tensors

/// How parts travel, where the plan says it: whoever is not told otherwise keeps to it.
extension Plan {
  /// The same plan with a type for each exchange, in their order.
  ///
  /// - Throws: `mismatch` for another number of types than exchanges.
  package func travelling(as types: [WireType]) throws(MartletError) -> Plan {
    guard types.count == exchanges.count else {
      throw MartletError(
        .mismatch, "the plan needs a type on the wire for each exchange",
        context: ["types": "\(types.count)", "exchanges": "\(exchanges.count)"])
    }
    var plan = self
    plan.wire = types
    return plan
  }

  /// The element types of the parts of each exchange.
  ///
  /// - Parameter given: what the user asked for, which counts for all; without it the plan's own
  ///   choice counts, and float32 in a plan that has none.
  package func wireTypes(_ given: ElementType? = nil) -> [ElementType] {
    if let given { return exchanges.map { _ in given } }
    guard !wire.isEmpty else { return exchanges.map { _ in .float32 } }
    return wire.map(\.elementType)
  }

  /// Words for how many exchanges travel as what, such as `i8 (12), f16 (2)`; nil where the plan does
  /// not say.
  package var wireText: String? { wire.isEmpty ? nil : WireType.text(wire) }
}

extension Plan {
  /// A value that travels in parts while all devices are there.
  package struct WirePoint: Sendable, Hashable {
    /// The value, in `Plan.graph`.
    package var value: ValueID
    /// The axis along which it is divided; not the batch's.
    package var axis: Int
    /// What each device sends of it, at most, along that axis.
    package var parts: [[Int]]
    /// The exchanges that gather it: of halos one for each reader.
    package var exchanges: [Int]
  }

  /// What travels while all devices are there, in the order of the exchanges; not what devices contribute
  /// to the ends of pairs, which is no value of the model.
  package var wirePoints: [WirePoint] {
    let layout = sharding.strips.map {
      StripLayout(
        graph, $0, gathered: [], devices: devices.count, owners: .shares(devices.map(\.share)))
    }
    let neurons = parts
    var points: [WirePoint] = []
    for (number, exchange) in exchanges.enumerated()
    where exchange.stage != nil && !exchange.isDecoded && !exchange.isPairSum {
      if let known = points.firstIndex(where: { $0.value == exchange.value }) {
        points[known].exchanges.append(number)
        continue
      }
      // Of sums every device sends one for each channel.
      let axis = exchange.axis == 0 ? 1 : exchange.axis
      let own: [[Int]]
      if exchange.isWhole || exchange.axis == 0 {
        own = [Array(0..<exchange.shape[axis])]
      } else if let layer = exchange.layer {
        own = neurons[layer]
      } else {
        own = devices.indices.map { device in
          layout.map { Array($0.owned(exchange.value, by: device)) } ?? []
        }
      }
      points.append(
        WirePoint(value: exchange.value, axis: axis, parts: own, exchanges: [number]))
    }
    return points
  }
}

extension PlanDocument {
  /// How the parts of one exchange travel.
  struct Wire: Codable {
    /// The exchange's id.
    var exchange: String
    /// The element type.
    var type: WireType

    /// Of all exchanges; nil for a plan that does not say.
    static func all(of plan: Plan) -> [Wire]? {
      guard !plan.wire.isEmpty else { return nil }
      return zip(plan.exchanges, plan.wire).map { Wire(exchange: $0.id, type: $1) }
    }
  }

  /// The plan with the types that the document gives its exchanges.
  func travelling(_ plan: Plan) throws(MartletError) -> Plan {
    guard let wire else { return plan }
    guard wire.map(\.exchange) == plan.exchanges.map(\.id) else {
      throw MartletError(
        .mismatch, "the plan's types on the wire are not those of its exchanges",
        hint: "the plan was made by another version of martlet: run martlet plan again")
    }
    return try plan.travelling(as: wire.map(\.type))
  }
}
