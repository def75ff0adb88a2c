import FogNetwork
import Foundations
import JSONCoding
import Tensors
import Testing

@Suite struct TopologyTests {
  @Test func `a file may leave out what has a default`() throws {
    let text = """
      {"name": "t", "classes": 2,
       "sources": [{"name": "s", "first": 0, "shape": [4]}],
       "nodes": [
         {"name": "e", "tier": "edge", "layers": [{"kind": "dense", "width": 3, "count": 2}]},
         {"name": "c", "tier": "cloud",
          "layers": [{"kind": "dense", "width": 2, "activation": "none"}]}],
       "connections": [{"from": "s", "to": "e"}, {"from": "e", "to": "c"},
                       {"from": "s", "to": "c", "skip": true}]}
      """
    let topology = try JSON.decode(FogTopology.self, from: text, source: "test")
    let design = try FogDesign(topology)
    #expect(design.units.map(\.name) == ["e", "c"])
    #expect(design.units[0].layers.count == 2)
    #expect(design.units[1].input == [4])
    #expect(design.units[0].parameters == 4 * 3 + 3 + 3 * 3 + 3)
    let again = try JSON.decode(
      FogTopology.self, from: try JSON.encodeString(topology), source: "test")
    #expect(again == topology)
    #expect(try FogDesign(topology.withoutSkips).units[1].input == [3])
  }

  /// Each mistake, and a word of the message that names it.
  static let mistakes: [(String, MartletError.Code, @Sendable (inout FogTopology) -> Void)] = [
    ("circle", .invalidArgument, { $0.connections.append(.init(from: "f1", to: "e1")) }),
    ("not there", .notFound, { $0.connections.append(.init(from: "x9", to: "e1")) }),
    ("not there", .notFound, { $0.settings[0].survival["x9"] = 0.5 }),
    ("one name", .invalidArgument, { $0.nodes[1].name = "e1" }),
    ("usable name", .invalidArgument, { $0.nodes[1].name = "E 2" }),
    ("stands twice", .invalidArgument, { $0.connections.append(.init(from: "e1", to: "f1")) }),
    ("lead to a source", .invalidArgument, { $0.connections.append(.init(from: "e1", to: "a")) }),
    ("one unit for each class", .invalidShape, { $0.classes = 4 }),
    ("2 to 65536 classes", .invalidArgument, { $0.classes = 1 }),
    ("tier cloud", .invalidArgument, { $0.nodes[2].tier = .cloud }),
    ("tier cloud", .invalidArgument, { $0.nodes[3].tier = .fog }),
    (
      "leads from a node", .invalidArgument,
      { topology in topology.connections.removeAll { $0.to == "c" && $0.from == "f1" } }
    ),
    (
      "leads to a node", .invalidArgument,
      { topology in topology.connections.removeAll { $0.to == "e2" } }
    ),
    ("from 0 to 1", .invalidArgument, { $0.settings[0].survival["e1"] = 1.5 }),
    ("cloud never fails", .invalidArgument, { $0.settings[0].survival["c"] = 0.5 }),
    ("no layers", .invalidArgument, { $0.nodes[0].layers = [] }),
    ("width must be", .invalidShape, { $0.nodes[0].layers = [.dense(0)] }),
    ("count must be", .invalidShape, { $0.nodes[0].layers = [.dense(3, count: 0)] }),
    ("count must be", .invalidShape, { $0.nodes[0].layers = [.dense(3, count: -1)] }),
    (
      "too large", .resourceExhausted,
      { $0.nodes[0].layers = [.dense(1_000_000, count: 1000)] }
    ),
    (
      "too large", .resourceExhausted,
      { $0.nodes[0].layers = [FogLayer](repeating: .dense(1, count: 1000), count: 11) }
    ),
    ("takes an image", .invalidShape, { $0.nodes[0].layers = [FogLayer(.average)] }),
    ("finite number", .invalidArgument, { $0.connections[0].weight = .nan }),
    ("none of them 0", .invalidShape, { $0.sources[0].shape = [0] }),
    ("negative extent", .invalidShape, { $0.sources[0].shape = [-3] }),
    ("none of them 0", .invalidShape, { $0.sources[0].first = -1 }),
    (
      "cannot be added up", .invalidShape,
      { topology in
        topology.sources.append(.init(name: "image", first: 5, shape: [1, 4, 4]))
        topology.connections.append(.init(from: "image", to: "e1"))
      }
    ),
  ]

  @Test(arguments: mistakes.indices) func `mistakes are named`(number: Int) throws {
    let (words, code, change) = Self.mistakes[number]
    var topology = FogTopology.small()
    change(&topology)
    let error = #expect(throws: MartletError.self) { try FogDesign(topology) }
    #expect(error?.code == code)
    #expect(error?.message.contains(words) == true, "\(error?.description ?? "")")
  }

  @Test func `null inputs are ignored and all of them make a null output`() throws {
    let design = try FogDesign(.small())
    // Nodes: e1, e2, f1, c. Units are in the same order here.
    #expect(design.flow(alive: [true, true, true, true]) == [true, true, true, true])
    // f1 still hears source a, although both edges are gone.
    #expect(design.flow(alive: [false, false, true, true]) == [false, false, true, true])
    #expect(design.flow(alive: [false, true, false, true]) == [false, true, false, false])
    #expect(design.flow(alive: [true, true, false, true]) == [true, true, false, true])
  }

  @Test func `a survival-weighted network`() throws {
    let topology = FogTopology.small().weighted(
      by: .init(name: "x", survival: ["e1": 0.9, "e2": 0.8]))
    let weights = topology.connections.map(\.weight)
    #expect(weights == [1, 1, 0.9, 0.5 * 0.8, 1, 0.9, 1])
  }
}
