import ModelGraph
package import Plan
import Tensors

/// What a frame moves over each link, against what was seen to move: why answers do not come in time
/// although everybody is there.
package struct LinkReport: Sendable {
  /// One link's bytes for one frame.
  package struct Load: Sendable, Equatable {
    /// The device's name, or `client`.
    package var device: String
    /// Bytes that come to it.
    package var received: Int
    /// Bytes that it sends.
    package var sent: Int
  }

  /// More devices than this are not listed one by one: those with the most bytes are.
  static let named = 8

  /// By device, the client last.
  package let loads: [Load]

  /// What a plan's frames move while everybody is there.
  ///
  /// - Parameters:
  ///   - elementBytes: of one element on the wire.
  ///   - needs: bytes that come to the client, by device.
  package init(_ plan: Plan, elementBytes: Int, needs: [Int] = []) {
    let input = plan.graph.inputs.reduce(0) { $0 + plan.graph[$1].shape.count }
    loads =
      plan.devices.indices.map { number in
        let cost = plan.cost(of: number, wire: .float32)
        return Load(
          device: plan.devices[number].name,
          received: cost.bytesReceived / ElementType.float32.size * elementBytes,
          sent: cost.bytesSent / ElementType.float32.size * elementBytes)
      } + [
        Load(device: "client", received: needs.reduce(0, +), sent: input * elementBytes)
      ]
  }

  /// A clause: the bytes of a frame through each link, and the rates that were seen.
  ///
  /// - Parameter rates: the most bytes a second that each device was seen to move, both ways together; nil
  ///   where that is not known.
  package func text(rates: [Double?]) -> String {
    let all = loads.indices.map { number in
      let load = loads[number]
      let text =
        "\(load.device) receives \(Self.bytes(Double(load.received))) and sends "
        + Self.bytes(Double(load.sent))
      guard number < rates.count, let rate = rates[number] else { return text }
      let bytes = Double(load.received + load.sent)
      let time = rate > 0 ? ": \(Self.seconds(bytes / rate)) a frame" : ""
      return text + " (at most \(Self.bytes(rate))/s were seen\(time))"
    }
    guard all.count > Self.named else { return "for a frame " + all.joined(separator: ", ") }
    let heaviest = loads.indices.sorted {
      loads[$0].received + loads[$0].sent > loads[$1].received + loads[$1].sent
    }
    let shown = heaviest.prefix(Self.named).map { all[$0] }
    return "for a frame " + shown.joined(separator: ", ")
      + ", and \(all.count - shown.count) others less"
  }

  static func bytes(_ count: Double) -> String {
    switch count {
    case ..<1e3: "\(Int(count)) B"
    case ..<1e6: "\((count / 1e2).rounded() / 10) kB"
    default: "\((count / 1e5).rounded() / 10) MB"
    }
  }

  static func seconds(_ value: Double) -> String {
    value < 1 ? "\(Int((value * 1e3).rounded(.up))) ms" : "\((value * 10).rounded() / 10) s"
  }
}
