import Foundations
import JSONCoding
import ModelGraph
import Plan
import Planning
import Processes
import TensorFiles
import Tensors
import TestSupport
import Testing

@Suite("Plans on disk")
struct PlanFolderTests {
  /// Writes a plan for three devices and hands over its folder.
  private func withPlan(
    seed: UInt64 = 5, _ body: (PlanFolder, Graph, String) throws -> Void
  ) throws {
    try TemporaryFolder.with(prefix: "martlet-plan-test") { folder in
      let graph = try RandomGraph.network(seed: seed)
      let plan = try plan(graph, shares: [1, 1, 1], method: .interleaved)
      let written = try PlanFolder.write(plan, graph: graph, to: folder + "/plan")
      try body(written, graph, folder)
    }
  }

  @Test("what is read is what was written", arguments: 0..<10)
  func roundTrip(seed: Int) throws {
    try withPlan(seed: UInt64(seed)) { written, graph, _ in
      let read = try PlanFolder(reading: written.path)
      #expect(read.id == written.id)
      #expect(read.plan.placements == written.plan.placements)
      #expect(read.plan.exchanges == written.plan.exchanges)
      for device in 0..<3 {
        for (slice, tensor) in try read.constants(device: device) {
          let source = try #require(graph.constants[slice.source])
          #expect(tensor.widened == slice.apply(to: source))
        }
      }
    }
  }

  private struct Means: Codable {
    var means: [String: String]
  }

  @Test("a fill with constants has a file of them, and zero nothing")
  func fills() throws {
    try withPlan { written, graph, folder in
      let document = folder + "/plan/plan.json"
      #expect(try !FileSystem.readText(document).contains("\"means\""))
      let constants = written.plan.exchanges.map {
        [Float](repeating: 0.5, count: $0.shape[$0.axis])
      }
      let fill = Plan.Fill(.mean, constants: constants)
      let filled = try plan(graph, written.plan.placements, shares: [1, 1, 1], fill: fill)
      let again = try PlanFolder.write(filled, graph: graph, to: written.path)
      #expect(again.plan.fill == fill && again.id != written.id)
      // Plans of older versions read the same: means are not named.
      let means = try JSON.decode(
        Means.self, from: try FileSystem.read(document), source: document
      ).means
      #expect(Set(means.keys) == ["file", "sha256"] && means["file"] == "means.safetensors")
    }
  }

  @Test("types on the wire stand in the plan, where it has any")
  func wire() throws {
    try withPlan { written, graph, _ in
      let document = written.path + "/plan.json"
      #expect(try !FileSystem.readText(document).contains("\"wire\""))
      #expect(try PlanFolder(reading: written.path).plan.wire.isEmpty)
      let types = written.plan.exchanges.indices.map { WireType.allCases[$0 % 3] }
      let typed = try written.plan.travelling(as: types)
      let again = try PlanFolder.write(typed, graph: graph, to: written.path)
      #expect(again.plan.wire == types && again.id != written.id)
      #expect(try PlanFolder(reading: written.path).plan.wireTypes() == types.map(\.elementType))
      // With constants to fill with as well.
      let constants = written.plan.exchanges.map {
        [Float](repeating: 0.5, count: $0.shape[$0.axis])
      }
      let filled = try plan(
        graph, written.plan.placements, shares: [1, 1, 1],
        fill: Plan.Fill(.mean, constants: constants)
      ).travelling(as: types)
      #expect(try PlanFolder.write(filled, graph: graph, to: written.path).plan.wire == types)
      let error = message { _ = try written.plan.travelling(as: [.i8]) }
      #expect(error?.code == .mismatch || types.count == 1)
    }
  }

  private func message(_ body: () throws -> Void) -> MartletError? {
    do {
      try body()
      return nil
    } catch {
      return error as? MartletError
    }
  }

  @Test("a folder without a plan")
  func missing() {
    let error = message { _ = try PlanFolder(reading: "/nonexistent") }
    #expect(error?.code == .notFound)
    #expect(error?.hint?.contains("martlet plan") == true)
  }

  @Test("an edited plan, another version, another format")
  func edited() throws {
    try withPlan { written, _, _ in
      let file = written.path + "/plan.json"
      let text = try FileSystem.readText(file)
      for (from, to, code) in [
        ("\"method\": \"test\"", "\"method\": \"lop\"", MartletError.Code.mismatch),
        ("\"version\": 2", "\"version\": 1", .mismatch),
        ("martlet-plan", "something-else", .invalidFile),
      ] {
        let edited = text.split(separator: from, omittingEmptySubsequences: false)
        #expect(edited.count > 1)
        try FileSystem.write(Array(edited.joined(separator: to).utf8), to: file)
        #expect(message { _ = try PlanFolder(reading: written.path) }?.code == code)
      }
    }
  }

  @Test("every truncation of plan.json is refused, and mutations never crash")
  func damaged() throws {
    try withPlan { written, _, _ in
      let file = written.path + "/plan.json"
      let bytes = try FileSystem.read(file)
      for length in stride(from: 0, to: bytes.count - 2, by: max(1, bytes.count / 60)) {
        try FileSystem.write(Array(bytes.prefix(length)), to: file)
        #expect(throws: MartletError.self) { try PlanFolder(reading: written.path) }
      }
      var generator = SeededGenerator(11)
      for _ in 0..<200 {
        var mutated = bytes
        for _ in 0..<3 {
          mutated[Int.random(in: 0..<mutated.count, using: &generator)] =
            UInt8.random(in: 32...126, using: &generator)
        }
        try FileSystem.write(mutated, to: file)
        _ = try? PlanFolder(reading: written.path)
      }
    }
  }

  @Test("a missing shard and a corrupt one")
  func shards() throws {
    try withPlan { written, _, _ in
      let shard = written.path + "/d1.safetensors"
      var bytes = try FileSystem.read(shard)
      bytes[bytes.count - 1] ^= 1
      try FileSystem.write(bytes, to: shard)
      let corrupt = message { _ = try written.constants(device: 1) }
      #expect(corrupt?.code == .mismatch)
      try FileSystem.remove(shard)
      let missing = message { _ = try written.constants(device: 1) }
      #expect(missing?.code == .notFound)
      #expect(missing?.description.contains("d1.safetensors") == true)
    }
  }

  @Test("a folder with something else is left alone; a plan is replaced")
  func replacing() throws {
    try withPlan { written, graph, folder in
      let again = try PlanFolder.write(written.plan, graph: graph, to: written.path)
      #expect(again.id == written.id)
      let other = folder + "/precious"
      try FileSystem.createFolder(other)
      try FileSystem.write([1], to: other + "/letter.txt")
      let error = message { _ = try PlanFolder.write(written.plan, graph: graph, to: other) }
      #expect(error?.code == .invalidArgument)
      #expect(FileSystem.exists(other + "/letter.txt"))
      #expect(!FileSystem.exists(other + ".partial"))
    }
  }

  @Test("an unknown device is named together with those there are")
  func unknownDevice() throws {
    try withPlan { written, _, _ in
      let error = message { _ = try written.plan.deviceNumber("d7") }
      #expect(error?.code == .notFound)
      #expect(error?.hint?.contains("d0, d1, d2") == true)
    }
  }
}
