import Engine
import Glibc
import MQTT
import ModelCards
import ONNXImport
import Plan
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
      Case(name: "bytes with a scale", wire: .int8),
      Case(name: "chunks of 1024 bytes", chunkBytes: 1024),
      Case(name: "float16 in chunks", wire: .float16, chunkBytes: 1024),
      Case(
        name: "bytes in chunks, d1 never started", wire: .int8, chunkBytes: 1024, absent: ["d1"]),
      Case(name: "d2 never started", absent: ["d2"]),
      Case(name: "d0 and d3 never started", absent: ["d0", "d3"]),
      Case(name: "eight frames in flight", inFlight: 8),
    ])
    func outputsAreThoseOfOneProcess(_ test: Case) throws {
      try Deployment.with { deployment in
        let type = try #require(WireType.allCases.first { $0.elementType == test.wire })
        var options = ["--wire", type.rawValue]
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
              let input = try deployment.digits[sent]
              let ticket = try client.submit(input)
              let received = FrameInput(input).received(as: test.wire)
              expected[ticket] =
                try reference.run([received], alive: deployment.alive(but: test.absent)).first
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

    /// Images travel as their pixels, whatever numbers travel as, and lose nothing.
    @Test(arguments: [ElementType.float32, .int8], [false, true])
    func imagesAreExact(_ type: ElementType, _ isDeflating: Bool) throws {
      try Deployment.with { deployment in
        try deployment.startAll()
        let reference = try deployment.reference()
        let watcher = try Watcher(deployment.broker)
        defer { watcher.client.close() }
        try watcher.client.subscribe("martlet/1/default/input/+", quality: .atMostOnce)
        try watcher.client.waitUntilReady(timeout: .seconds(10))
        try deployment.withClient {
          $0.wire.elementType = type
          $0.deflatesFrames = isDeflating
        } _: { client in
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          for index in 0..<10 {
            let input = try deployment.digits.input(index)
            _ = try client.submit(input)
            let answer = try client.next()
            #expect(!answer.isDegraded)
            #expect(try answer.outputs == reference.run([input.tensor], alive: deployment.alive()))
          }
        }
        let sent = watcher.wait { messages in
          let tensors = messages.compactMap { message in
            message.payload.withUnsafeBytes { bytes in
              (try? TensorMessage(decoding: bytes)).map {
                (isPixels: $0.isPixels, isPacked: $0.isPacked)
              }
            }
          }
          return tensors.count >= 10 ? tensors : nil
        }
        let tensors = try #require(sent)
        #expect(tensors.allSatisfy { $0.isPixels })
        #expect(tensors.contains { $0.isPacked } == isDeflating)
      }
    }

    /// Workers keep to what the plan says of the wire, and so does one process.
    @Test func theTypesOfThePlanAreKept() throws {
      try Deployment.with(planning: { folder in
        let plan = try DemoModel.plan(devices: 4, folder: folder)
        let graph = try ONNXImporter.load(path: folder + "/demo.onnx")
        let types: [WireType] = [.i8, .f16, .f32]
        let typed = try plan.plan.travelling(
          as: plan.plan.exchanges.indices.map { types[$0 % 3] })
        return try PlanFolder.write(typed, graph: graph, to: plan.path)
      }) { deployment in
        let cluster = try deployment.reference(wire: nil)
        let (input, alive) = (try deployment.digits[3], deployment.alive())
        let exact = try deployment.reference().run([input], alive: alive)
        #expect(try cluster.run([input], alive: alive) != exact)
        try deployment.startAll()
        try deployment.withClient { client in
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          for index in 0..<10 {
            let input = try deployment.digits[index]
            let answer = try client.answer(input)
            #expect(try answer.outputs == cluster.run([input], alive: deployment.alive()))
          }
        }
      }
    }
  }
}
