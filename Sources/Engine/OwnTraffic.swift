import Foundations
import Plan
import Tensors

/// The parts that reached a client over its own connection, finished or in pieces: what it can measure
/// itself when no device says what came to it.
package struct OwnTraffic: Sendable {
  private let devices: [String]
  private let numbers: [String: Int]
  /// Bytes by device, since the client began.
  package private(set) var arrived: [Int]

  /// - Parameter devices: the plan's, in order.
  package init(devices: [String]) {
    self.devices = devices
    numbers = Dictionary(
      devices.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    arrived = devices.map { _ in 0 }
  }

  /// A message on a topic of a device's parts came.
  package mutating func add(_ bytes: Int, of device: String) {
    if let number = numbers[device] { arrived[number] += bytes }
  }

  /// A clause: what came while a frame was waited for, and how long a frame takes at this rate with the
  /// device that lags most. It claims no rate where nothing came.
  ///
  /// - Parameters:
  ///   - mark: `arrived` as it was when the waiting began.
  ///   - seconds: since then.
  ///   - needs: bytes that a frame brings here, by device.
  ///   - unsent: bytes that wait on this side of the connection.
  package func text(since mark: [Int], seconds: Double, needs: [Int], unsent: Int) -> String {
    let came = zip(arrived, mark).map { $0 - $1 }
    let total = came.reduce(0, +)
    var text: String
    if total == 0 {
      text = "no part came here in the last \(LinkReport.seconds(seconds))"
    } else {
      text =
        "in the last \(LinkReport.seconds(seconds)) \(LinkReport.bytes(Double(total))) of parts "
        + "came here"
      if let worst = laggard(came, needs) {
        let share = came[worst] == 0 ? "none" : LinkReport.bytes(Double(came[worst]))
        text += """
          , \(share) of them from \(devices[worst]), which sends \
          \(LinkReport.bytes(Double(needs[worst]))) here for a frame
          """
        if came[worst] > 0 {
          let time = Double(needs[worst]) / Double(came[worst]) * seconds
          text += ": at this rate that takes \(LinkReport.seconds(time))"
        }
      }
    }
    if unsent > 0 {
      text += "; \(LinkReport.bytes(Double(unsent))) still wait to be sent from here"
    }
    return text
  }

  /// Of which device the smallest share of a frame came; the first of several.
  private func laggard(_ came: [Int], _ needs: [Int]) -> Int? {
    func share(_ number: Int) -> Double { Double(came[number]) / Double(needs[number]) }
    return needs.indices.filter { needs[$0] > 0 }.min { share($0) < share($1) }
  }
}

extension DeviceEngine {
  /// Bytes that a frame brings this engine, by device, while all that take part deliver.
  func needs(devices: Int, elementBytes: Int) -> [Int] {
    var needs = Array(repeating: 0, count: devices)
    for part in program.gatherings.lazy.flatMap(\.parts) where part.device != device {
      needs[part.device] += part.shape.count * elementBytes
    }
    return needs
  }
}
