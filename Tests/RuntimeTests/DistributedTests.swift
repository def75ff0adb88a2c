import Engine
import Glibc
import Processes
import Runtime
import Tensors
import TestSupport
import Testing
import WireProtocol

/// Real workers and a real broker. One test at a time: they share the machine's cores.
@Suite(.serialized) struct DistributedTests {}

extension DistributedTests {
  /// Workers compute exactly what the same plan computes in one process.
  @Suite(.serialized) struct Exactness {
    struct Case: Sendable, CustomTestStringConvertible {
      var name: String
      var wire: ElementType = .float32
      var chunkBytes: Int?
      var absent: Set<String> = []
      var inFlight = 1
      var testDescription: String { name }
    }

    @Test(arguments: [
      Case(name: "float32"), Case(name: "float16", wire: .float16),
      Case(name: "chunks of 1024 bytes", chunkBytes: 1024),
      Case(name: "float16 in chunks", wire: .float16, chunkBytes: 1024),
      Case(name: "d2 never started", absent: ["d2"]),
      Case(name: "d0 and d3 never started", absent: ["d0", "d3"]),
      Case(name: "eight frames in flight", inFlight: 8),
    ])
    func outputsAreThoseOfOneProcess(_ test: Case) throws {
      try Deployment.with { deployment in
        var options = ["--wire", test.wire == .float16 ? "f16" : "f32"]
        if let chunkBytes = test.chunkBytes { options += ["--chunk-bytes", "\(chunkBytes)"] }
        try deployment.startAll(but: test.absent, options)
        let reference = try deployment.reference(wire: test.wire)
        let count = 50
        var expected: [Int: Tensor] = [:]
        try deployment.withClient {
          $0.wire.elementType = test.wire
          if let chunkBytes = test.chunkBytes { $0.wire.chunkBytes = chunkBytes }
        } _: { client in
          let present = deployment.names.count - test.absent.count
          try #require(try client.waitForDevices(present, timeout: .seconds(20)))
          var sent = 0
          var answered = 0
          while answered < count {
            while sent < count, client.framesInFlight < test.inFlight {
              let input = try rounded(try deployment.digits[sent], test.wire)
              let ticket = try client.submit(input)
              expected[ticket] =
                try reference.run([input], alive: deployment.alive(but: test.absent)).first
              sent += 1
            }
            let answer = try client.next()
            answered += 1
            #expect(answer.outputs.first == expected[answer.ticket], "frame \(answer.ticket)")
            #expect(Set(answer.fills.map(\.device)) == test.absent)
            #expect(answer.fills.allSatisfy { $0.reason == "lost" })
            #expect(answer.attempts == 1)
          }
        }
        #expect(Set(expected.values.compactMap(\.floats)).count > count / 2)
      }
    }

    /// Each client numbers its frames from one, whoever was there before.
    @Test(arguments: [256 << 10, 1024])
    func clientsFollowEachOther(_ chunkBytes: Int) throws {
      try Deployment.with { deployment in
        try deployment.startAll(["--chunk-bytes", "\(chunkBytes)"])
        let reference = try deployment.reference()
        for count in [12, 6, 3] {
          try deployment.withClient {
            $0.wire.chunkBytes = chunkBytes
          } _: { client in
            try #require(try client.waitForDevices(timeout: .seconds(20)))
            for index in 0..<count {
              let input = try deployment.digits[index]
              let answer = try client.answer(input)
              #expect(!answer.isDegraded)
              #expect(try answer.outputs == reference.run([input], alive: deployment.alive()))
            }
          }
        }
      }
    }

    /// What a worker makes of an input that travels as `type`.
    private func rounded(_ tensor: Tensor, _ type: ElementType) throws -> Tensor {
      var values = try #require(tensor.floats)
      values.withUnsafeMutableBufferPointer { PackedElements.roundTrip($0, as: type) }
      return Tensor(tensor.shape, values)
    }
  }
}
