import Engine
import Foundations
import Glibc
import Plan
import Planning
import Processes
import Runtime
import Tensors
import TestSupport
import Testing

extension DistributedTests {
  /// Worker processes that stand in for one that was killed, by every method that can.
  @Suite(.serialized) struct Redundancy {
    enum Method: String, CaseIterable, Sendable {
      case replicate, parityDevice, codedOne, codedTwo, clustered

      func place(_ layers: [LayerTraits]) throws -> [LayerPlacement] {
        let shares = [1.0, 1.0, 1.0, 1.0]
        switch self {
        case .replicate: return Placing.replicate(layers, shares: shares)
        case .parityDevice: return try Placing.parityDevice(layers, shares: shares)
        case .codedOne: return try Placing.coded(layers, shares: shares, tolerating: 1)
        case .codedTwo: return try Placing.coded(layers, shares: shares, tolerating: 2)
        case .clustered:
          // Any scores will do: which neurons are alike is not what is tested.
          let scored = try layers.map { layer in
            try ScoredLayer(
              traits: layer, points: (0..<layer.neurons).map { [Double($0 % 5), Double($0 % 3)] })
          }
          return try Placing.clustered(
            scored, devices: 4, thresholds: layers.map { _ in 1.5 })
        }
      }

      /// Whether nothing is lost without `d1`.
      var isLossless: Bool { self != .clustered }
      /// Devices that go, one after the other.
      var victims: [String] { self == .codedTwo || self == .replicate ? ["d1", "d3"] : ["d1"] }
    }

    @Test(arguments: Method.allCases)
    func killedWorkersAreReplaced(_ method: Method) throws {
      try Deployment.with(placing: method.place) { deployment in
        try deployment.startAll(["--deadline", "5s"])
        let reference = try deployment.reference()
        try deployment.withClient { client in
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          let whole = try (0..<10).map { index in
            let input = try deployment.digits[index]
            let answer = try client.answer(input)
            #expect(!answer.isDegraded)
            #expect(try answer.outputs == reference.run([input], alive: deployment.alive()))
            return answer.outputs[0].floats ?? []
          }
          var gone: Set<String> = []
          for victim in method.victims {
            let worker = try #require(deployment.workers[victim])
            worker.signal(SIGKILL)
            gone.insert(victim)
            let number = try deployment.plan.plan.deviceNumber(victim)
            let noticed = try client.answer(try deployment.digits[0]) { !$0.awaited[number] }
            try #require(noticed != nil, "the loss of \(victim) was never noticed")
            for index in 0..<10 {
              let input = try deployment.digits[index]
              let answer = try client.answer(input)
              let alive = deployment.alive(but: gone)
              #expect(try answer.outputs == reference.run([input], alive: alive))
              guard method.isLossless else { continue }
              #expect(!answer.isDegraded, "without \(gone)")
              let difference = zip(answer.outputs[0].floats ?? [], whole[index])
                .map { abs($0 - $1) }.max()
              let scale = whole[index].map(abs).max() ?? 1
              #expect(difference ?? .infinity < 1e-4 * scale, "without \(gone)")
            }
          }
        }
      }
    }
  }
}
