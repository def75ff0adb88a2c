import Engine
import Evaluation
import Foundations
import ModelGraph
import Plan
import Planning
import Resilience
import Tensors
import TestSupport
import Testing

/// Four images, each with one of four elements lit, and models that name it: what is right can be
/// counted by hand. An image whose lit element is lost is dark, and then called 0.
@Suite("A study of the frame of a loss")
struct LossStudyTests {
  private enum Moment { case later, loss }

  private static let shares = [1.0, 1.0, 1.0, 1.0]

  private func identity(_ builder: inout GraphBuilder, _ value: ValueID) throws {
    let weights = builder.add(
      constant: Tensor([4, 4], (0..<16).map { $0 % 5 == 0 ? Float(1) : 0 }), name: "weights")
    let scores = try builder.add(.dense(Dense()), [value, weights], name: "scores")
    try builder.addOutput(scores, name: "y")
  }

  /// A layer of four neurons, one for each element.
  private func dense() throws -> Graph {
    var builder = GraphBuilder(name: "dense")
    let x = builder.addInput(name: "x", shape: [1, 4])
    try identity(&builder, x)
    return builder.graph
  }

  /// The same behind a convolution that changes nothing, over four rows of one element.
  private func rows() throws -> Graph {
    var builder = GraphBuilder(name: "rows")
    let x = builder.addInput(name: "x", shape: [1, 1, 4, 1])
    let one = builder.add(constant: Tensor([1, 1, 1, 1], [Float(1)]), name: "one")
    let same = try builder.add(
      .convolution(Convolution(kernel: Pair(1, 1))), [x, one], name: "same")
    let flat = try builder.add(.reshape, [same], name: "flat", shape: [1, 4])
    try identity(&builder, flat)
    return builder.graph
  }

  private var images: LabelledImages {
    LabelledImages(names: ["a", "b", "c", "d"], labels: [0, 1, 2, 3]) { lit in
      Tensor([4], (0..<4).map { $0 == lit ? Float(1) : 0 })
    }
  }

  private func study(_ plan: Plan, failures: Int) throws -> LossStudy {
    LossStudy(
      sets: try FailureSets.upTo(failures, devices: 4), head: .unknown, guess: nil,
      inputElements: 4, outputs: 4)
  }

  private func table(
    _ plan: Plan, _ graph: Graph, _ moment: Moment, failures: Int = 3,
    replicas: Replicas = .standby, rowFill: Plan.RowFill = .standard, threads: Int = 1
  ) throws -> [FailureTable.Row] {
    let (devices, client) = try engines(plan, graph, rowFill: rowFill)
    let shape = graph[graph.inputs[0]].shape
    return try study(plan, failures: failures).run(images, threads: threads) {
      let cluster = LocalCluster(devices: devices, client: client)
      return { input, failed throws(MartletError) in
        let tensors = [Tensor(shape, input)]
        switch moment {
        case .later:
          let alive = (0..<4).map { !failed.contains($0) }
          let outputs = try cluster.run(tensors, alive: alive, replicas: replicas)
          return LossStudy.Outcome(scores: outputs[0].floats ?? [], lostNeurons: 0)
        case .loss:
          let frame = try cluster.run(tensors, losing: Set(failed), replicas: replicas)
          return LossStudy.Outcome(
            scores: frame.outputs[0].floats ?? [],
            lostNeurons: frame.missing.lostNeurons(
              of: plan, attendance: .everyone(4, replicas: replicas)))
        }
      }
    }
  }

  /// Right answers where these elements are lost.
  private func right(without lost: [Int]) -> Int { 4 - lost.count { $0 != 0 } }

  @Test("is as bad as what is missing where nobody stands in, then and later")
  func single() throws {
    let graph = try dense()
    let plan = try plan(graph, shares: Self.shares, method: .lop)
    let loss = try table(plan, graph, .loss)
    #expect(loss.count == 15)
    for row in loss {
      #expect(row.correct == right(without: row.failed), "without \(row.failed)")
      #expect(row.correctTop5 == 4 && row.lostNeurons == row.failed.count && !row.isGuess)
    }
    let later = try table(plan, graph, .later)
    #expect(later.map(\.correct) == loss.map(\.correct))
    #expect(later.map(\.confidence) == loss.map(\.confidence))
    #expect(try table(plan, graph, .loss, threads: 3) == loss)
  }

  @Test("misses what copies on standby hold, and nothing that active ones do")
  func copies() throws {
    let graph = try dense()
    let placement = LayerPlacement(holders: (0..<4).map { [$0, ($0 + 1) % 4] })
    let plan = try plan(graph, [placement], shares: Self.shares)
    func gone(_ failed: [Int]) -> [Int] {
      (0..<4).filter { failed.contains($0) && failed.contains(($0 + 1) % 4) }
    }
    for row in try table(plan, graph, .loss) {
      #expect(row.correct == right(without: row.failed), "without \(row.failed)")
      #expect(row.lostNeurons == row.failed.count)
    }
    for row in try table(plan, graph, .loss, replicas: .active) {
      #expect(row.correct == right(without: gone(row.failed)), "active, without \(row.failed)")
      #expect(row.lostNeurons == gone(row.failed).count, "active, without \(row.failed)")
    }
    for replicas in Replicas.allCases {
      for row in try table(plan, graph, .later, replicas: replicas) {
        #expect(row.correct == right(without: gone(row.failed)), "later, without \(row.failed)")
      }
    }
  }

  @Test("misses what parity on standby would restore, and nothing that active parity does")
  func codes() throws {
    let graph = try dense()
    let layers = LayerTraits.all(of: try Sharding(graph), graph: graph)
    let placements = try Placing.coded(layers, shares: Self.shares, tolerating: 1)
    let plan = try plan(graph, placements, shares: Self.shares)
    let held = plan.parts[0]
    for row in try table(plan, graph, .loss, failures: 1) {
      let lost = row.failed.flatMap { held[$0] }
      #expect(row.correct == right(without: lost), "without \(row.failed)")
      #expect(row.lostNeurons == lost.count)
    }
    for (moment, replicas) in [
      (Moment.loss, Replicas.active), (.later, .active), (.later, .standby),
    ] {
      let rows = try table(plan, graph, moment, failures: 1, replicas: replicas)
      #expect(rows.map(\.correct) == [4, 4, 4, 4, 4], "\(moment), \(replicas)")
      #expect(rows.map(\.lostNeurons) == [0, 0, 0, 0, 0])
    }
  }

  /// Behind the strips everybody holds everything and sends it, so that only rows are lost.
  @Test("misses rows, which survivors cut anew later")
  func strips() throws {
    let graph = try rows()
    let strips = try Strips(graph, nodes: [0], halos: [])
    let placements = try Sharding(graph, strips: strips).layers.map { layer in
      LayerPlacement(holders: (0..<layer.neurons).map { n in (0..<4).map { (n + $0) % 4 } })
    }
    let plan = try plan(graph, placements, shares: Self.shares, strips: strips)
    let expected: [Plan.RowFill: [Int]] = [
      .zero: [4, 4, 3, 3, 3], .mean: [4, 4, 3, 3, 3],
      // The first row becomes the second: what is lit in the second is called 0.
      .nearest: [4, 3, 3, 3, 3],
    ]
    for rowFill in Plan.RowFill.allCases {
      let loss = try table(
        plan, graph, .loss, failures: 1, replicas: .active, rowFill: rowFill)
      #expect(loss.map(\.correct) == expected[rowFill], "\(rowFill)")
      #expect(loss.map(\.lostNeurons) == [0, 0, 0, 0, 0])
    }
    for replicas in Replicas.allCases {
      let later = try table(plan, graph, .later, replicas: replicas)
      #expect(later.count == 15 && later.allSatisfy { $0.correct == 4 }, "\(replicas)")
    }
  }

  @Test("stops, and refuses labels that are no classes")
  func control() throws {
    let plan = try plan(try dense(), shares: Self.shares, method: .lop)
    let study = try study(plan, failures: 1)
    let stopped = #expect(throws: MartletError.self) {
      try study.run(images, isStopped: { true }) {
        return { _, _ in LossStudy.Outcome(scores: [1, 0, 0, 0], lostNeurons: 0) }
      }
    }
    #expect(stopped?.code == .cancelled)
    let bad = LabelledImages(names: ["x"], labels: [4]) { _ in Tensor([4], [Float(0), 0, 0, 0]) }
    let refused = #expect(throws: MartletError.self) {
      try study.run(bad) {
        return { _, _ in LossStudy.Outcome(scores: [1, 0, 0, 0], lostNeurons: 0) }
      }
    }
    #expect(refused?.code == .mismatch)
  }

  @Test("counts guesses where nothing reaches the last layer")
  func guesses() throws {
    let plan = try plan(try dense(), shares: Self.shares, method: .lop)
    let rows = try study(plan, failures: 1).run(images) {
      return { input, failed in
        LossStudy.Outcome(scores: failed == [2] ? [] : input, lostNeurons: failed.count)
      }
    }
    #expect(rows.map(\.isGuess) == [false, false, false, true, false])
    #expect(rows.map(\.correct) == [4, 4, 4, 1, 4])
    #expect(rows.map(\.lostNeurons) == [0, 1, 1, 1, 1])
  }
}
