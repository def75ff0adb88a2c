import Engine
import Foundations
import JSONCoding
import MQTT
import ModelGraph
import Plan
import Processes
import Runtime
import TensorFiles
import Tensors
import TestSupport
import Testing
import WireProtocol

extension DistributedTests {
  /// Models that are no softmax classification, on worker processes.
  @Suite(.serialized) struct Heads {
    /// Two dense layers; the last has so many outputs and an activation, and `twice` gives two outputs.
    private static func graph(
      outputs: Int, activation: Activation?, twice: Bool = false
    ) throws -> Graph {
      var builder = GraphBuilder(name: "small")
      var random = SeededGenerator(11)
      func tensor(_ shape: Shape) -> Tensor {
        Tensor(shape, (0..<shape.count).map { _ in Float.random(in: -1...1, using: &random) })
      }
      let input = builder.addInput(name: "x", shape: [1, 5])
      let hidden = try builder.add(
        .dense(Dense(activation: .relu)),
        [input, builder.add(constant: tensor([8, 5]), name: "w1")], name: "hidden")
      let last = try builder.add(
        .dense(Dense(activation: activation)),
        [hidden, builder.add(constant: tensor([outputs, 8]), name: "w2")], name: "last")
      try builder.addOutput(last, name: "scores")
      if twice {
        let more = try builder.add(.activation(.tanh), [last], name: "more")
        try builder.addOutput(more, name: "extra")
      }
      return builder.graph
    }

    private func with(
      _ graph: Graph, labels: [String], _ body: (Deployment, InferenceClient) throws -> Void
    ) throws {
      try Deployment.with(planning: { folder in
        let sharding = try Sharding(graph)
        let plan = try Plan(
          model: .init(
            name: graph.name, sha256: "", preprocessing: nil, labels: labels,
            head: Head(detecting: graph)),
          method: "test", devices: ["d0", "d1"].map { Plan.Device(name: $0) }, graph: graph,
          sharding: sharding,
          placements: sharding.layers.map { layer in
            LayerPlacement(holders: (0..<layer.neurons).map { [$0 % 2] })
          })
        return try PlanFolder.write(plan, graph: graph, to: folder + "/plan")
      }) { deployment in
        try deployment.startAll()
        try deployment.withClient { client in
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          try body(deployment, client)
        }
      }
    }

    private func input(_ number: Int) -> Tensor {
      Tensor([1, 5], (0..<5).map { Float(number) * 0.3 - Float($0) * 0.5 })
    }

    /// What `result/<client>` said of a frame, with every key that it has.
    private func message(
      _ deployment: Deployment, _ client: InferenceClient, _ body: () throws -> Answer
    ) throws -> JSONValue {
      let watcher = try Watcher(deployment.broker)
      defer { watcher.client.close() }
      try watcher.client.subscribe("martlet/1/default/result/\(client.id)")
      try watcher.client.waitUntilReady(timeout: .seconds(10))
      let answer = try body()
      let payload = watcher.wait { messages in
        messages.first {
          (try? FrameResult(payload: $0.payload, source: $0.topic))?.frame == answer.frame
        }?.payload
      }
      return try JSON.decode(JSONValue.self, from: try #require(payload), source: "result")
    }

    @Test func oneSigmoidIsYesOrNo() throws {
      let graph = try Self.graph(outputs: 1, activation: .sigmoid)
      try with(graph, labels: ["cat"]) { deployment, client in
        var seen: Set<Int> = []
        for signs in 0..<32 {
          let input = Tensor([1, 5], (0..<5).map { signs >> $0 & 1 == 1 ? 4 : -4 as Float })
          let answer = try client.answer(input)
          let yes = Double(try #require(answer.outputs[0].floats)[0])
          let result = try #require(answer.result)
          #expect(result.task == "binary" && result.label == (yes >= 0.5 ? 1 : 0))
          #expect(result.labelName == (yes >= 0.5 ? "cat" : "not cat"))
          #expect(try abs(#require(result.confidence) - max(yes, 1 - yes)) < 1e-6)
          seen.insert(try #require(result.label))
        }
        #expect(seen == [0, 1], "the inputs show one side only")
        let published = try message(deployment, client) {
          _ = try client.submit(input(2), origin: FrameOrigin(image: "a.png", truth: 1))
          return try client.next()
        }
        #expect(published["truth"] == .integer(1) && published["truth_name"] == .string("cat"))
        #expect(
          published["image"] == .string("a.png") && published["schema_version"] == .integer(2))
      }
    }

    @Test func manySigmoidsAreLabelsOfTheirOwn() throws {
      let graph = try Self.graph(outputs: 4, activation: .sigmoid)
      try with(graph, labels: []) { deployment, client in
        let answer = try client.answer(input(3))
        let values = try #require(answer.outputs[0].floats).map(Double.init)
        let result = try #require(answer.result)
        #expect(result.task == "multilabel")
        #expect(
          Set(try #require(result.labels).map(\.label))
            == Set(values.indices.filter { values[$0] >= 0.5 }))
        for candidate in result.top5 {
          #expect(abs(candidate.confidence - values[candidate.label]) < 1e-6)
        }
      }
    }

    @Test func twoOutputsNameNoClass() throws {
      let graph = try Self.graph(outputs: 4, activation: nil, twice: true)
      try with(graph, labels: ["a", "b", "c", "d"]) { deployment, client in
        let published = try message(deployment, client) { try client.answer(input(3)) }
        #expect(published["task"] == .string("raw") && published["label"] == nil)
        guard case .array(let outputs)? = published["outputs"] else {
          Issue.record("there are no outputs")
          return
        }
        #expect(outputs.map { $0["name"] } == [.string("scores"), .string("extra")])
        _ = try deployment.startGateway("g0")
        try deployment.withCaller { caller in
          let path = deployment.folder + "/x.safetensors"
          try SafetensorsFile.write(path, tensors: [("x", input(3))])
          var call = RPCClient.Call(RPCMethod("inference", "infer"), target: "gateway")
          call.body = .bytes(try FileSystem.read(path), type: ContentType.other.rawValue)
          // What is asked before the gateway listens is lost.
          call.deadline = .seconds(2)
          let end = MonotonicTime.now() + .seconds(20)
          var reply: JSONValue?
          var last: (any Error)?
          while reply == nil, MonotonicTime.now() < end {
            do { reply = try caller.result(of: call) } catch { last = error }
          }
          #expect(reply?["outputs"] == published["outputs"], "\(last as Any)")
          #expect(reply?["label"] == nil)
        }
      }
    }
  }
}
