import Foundations
import ModelGraph
import Plan
import Planning
import Processes
import TensorFiles
import Tensors
import TestSupport
import Testing

@Suite("Plans with pairs of layers")
struct PairPlanTests {
  private func error(_ body: () throws -> Void) -> MartletError? {
    do {
      try body()
      return nil
    } catch {
      return error as? MartletError
    }
  }

  private func node(_ name: String, of graph: Graph) throws -> Int {
    try #require(graph.nodes.firstIndex { $0.name == name })
  }

  // MARK: Refusals

  @Test("a pair ends where the input channels are divided, and nowhere else")
  func ends() throws {
    let graph = try PairGraphs.inverted()
    for name in ["wide", "deep", "sum"] {
      let end = try node(name, of: graph)
      let refusal = try #require(error { _ = try Sharding(graph, pairs: [end]) })
      #expect(refusal.code == .unsupported && refusal.description.contains(name))
    }
    let narrow = try node("narrow", of: graph)
    for nodes in [[-1], [graph.nodes.count], [narrow, narrow], [narrow, narrow - 1]] {
      #expect(error { _ = try Sharding(graph, pairs: nodes) }?.code == .mismatch)
    }
    #expect(error { _ = try Sharding(graph, pairs: [narrow]) } == nil)
  }

  @Test("a pair spares an exchange, or there is none")
  func vain() throws {
    let graph = try PairGraphs.inverted(isBranched: true)
    let (narrow, other) = (try node("narrow", of: graph), try node("other", of: graph))
    #expect(error { _ = try Sharding(graph, pairs: [narrow]) }?.code == .unsupported)
    #expect(Sharding.pairs(of: graph) == [narrow, other])
    let sharding = try Sharding(graph, pairs: [narrow, other])
    #expect(sharding.hiddenLayers(graph) == [0, 0])
  }

  @Test("hidden neurons have neither copies nor codes")
  func redundancy() throws {
    let graph = try RandomGraph.chain(seed: 1)
    let pairs = Sharding.pairs(of: graph)
    try #require(!pairs.isEmpty)
    let sharding = try Sharding(graph, pairs: pairs)
    let layers = LayerTraits.all(of: sharding, graph: graph)
    let shares = [1.0, 1, 1]
    for placements in [
      Placing.copies(layers, shares: shares, tolerating: 1),
      try Placing.coded(layers, shares: shares, tolerating: 1),
    ] {
      let refusal = error { _ = try plan(graph, placements, shares: shares, pairs: pairs) }
      #expect(refusal?.code == .unsupported && refusal?.hint?.contains("lop") == true)
    }
  }

  // MARK: On disk

  private func withPlan(_ body: (PlanFolder, Graph, [Int]) throws -> Void) throws {
    try TemporaryFolder.with(prefix: "martlet-pairs-test") { folder in
      let graph = try RandomGraph.chain(seed: 2)
      let pairs = Sharding.everyPair(of: graph)
      let plan = try plan(graph, shares: [1, 1, 1], method: .lop, pairs: pairs)
      try body(try PlanFolder.write(plan, graph: graph, to: folder + "/plan"), graph, pairs)
    }
  }

  @Test("what is read is what was written, of a version that earlier programs refuse")
  func roundTrip() throws {
    try withPlan { written, graph, pairs in
      let read = try PlanFolder(reading: written.path)
      #expect(read.plan.sharding.pairs == pairs && pairs.count > 1)
      #expect(read.plan.exchanges == written.plan.exchanges)
      #expect(read.plan.placements == written.plan.placements)
      for device in 0..<3 {
        for (slice, tensor) in try read.constants(device: device) {
          #expect(
            tensor.widened == slice.apply(to: try #require(graph.constants[slice.source])))
        }
      }
      let text = try FileSystem.readText(written.path + "/plan.json")
      #expect(text.contains("\"version\": 4") && text.contains("\"pairs\": \""))
      let plain = try plan(graph, shares: [1, 1, 1], method: .lop)
      let other = try PlanFolder.write(plain, graph: graph, to: written.path)
      let plainText = try FileSystem.readText(other.path + "/plan.json")
      #expect(plainText.contains("\"version\": 2") && !plainText.contains("\"pairs\""))
    }
  }

  @Test(
    "pairs that the graph does not have are refused",
    arguments: [
      "0", "1-2", "99999", "-1", "x", "0-99999999999", "3,2",
    ])
  func hostile(_ pairs: String) throws {
    try withPlan { written, _, good in
      let file = written.path + "/plan.json"
      let text = try FileSystem.readText(file)
      let before = try #require(text.firstRange(of: "\"pairs\": \""))
      let rest = text[before.upperBound...]
      let after = try #require(rest.firstIndex(of: "\""))
      let edited = text[..<before.upperBound] + pairs + rest[after...]
      try FileSystem.write(try resealed(String(edited), id: written.id), to: file)
      let refusal = error { _ = try PlanFolder(reading: written.path) }
      #expect(refusal != nil && refusal?.message.contains("its id does not fit") == false)
      #expect(refusal?.context.contains { $0.key == "file" } == true)
      // The same way of editing without a change is read.
      try FileSystem.write(try resealed(text, id: written.id), to: file)
      #expect(try PlanFolder(reading: written.path).plan.sharding.pairs == good)
    }
  }

  /// An edited document with an id that fits: of the document without id and white space.
  private func resealed(_ text: String, id: String) throws -> [UInt8] {
    let place = try #require(text.firstRange(of: "\"\(id)\""))
    let anonymous = text.replacingSubrange(place, with: "\"\"")
    var compact: [UInt8] = []
    var (isString, isEscaped) = (false, false)
    for byte in anonymous.utf8 {
      if !isString, [0x20, 0x0a, 0x0d, 0x09].contains(byte) { continue }
      compact.append(byte)
      if isEscaped {
        isEscaped = false
      } else if byte == UInt8(ascii: "\\") {
        isEscaped = isString
      } else if byte == UInt8(ascii: "\"") {
        isString.toggle()
      }
    }
    let seal = String(try FileDigest.sha256(compact).prefix(16))
    return Array(text.replacingSubrange(place, with: "\"\(seal)\"").utf8)
  }
}

extension String {
  fileprivate func replacingSubrange(_ range: Range<Index>, with text: String) -> String {
    var copy = self
    copy.replaceSubrange(range, with: text)
    return copy
  }
}
