import Evaluation
import Foundations
import ModelGraph
import Plan
import Resilience
import Synchronization
import Tensors
import TestSupport
import Testing

@Suite("Failure studies")
struct FailureStudyTests {
  /// Neurons dealt to three devices, one of them twice.
  private func placements(_ subject: Subject, shift: Int) -> [LayerPlacement] {
    subject.neurons.map { count in
      LayerPlacement(
        holders: (0..<count).map { neuron in
          neuron % 4 == 0 ? [neuron % 3, (neuron + 1) % 3] : [(neuron + shift) % 3]
        })
    }
  }

  private func images(_ graph: Graph, count: Int) -> LabelledImages {
    LabelledImages(
      names: (0..<count).map { "image \($0)" }, labels: (0..<count).map { $0 % 7 }
    ) { RandomGraph.input(of: graph, seed: UInt64($0)) }
  }

  private func study(_ subject: Subject, batch: Int, fill: Plan.Fill = .zero) throws
    -> FailureStudy
  {
    FailureStudy(
      model: try subject.model(batch: batch), values: subject.values,
      subjects: [0, 1].map { shift in
        FailureStudy.Subject(
          plan: "plan\(shift)", method: "method\(shift)", devices: ["d0", "d1", "d2"],
          placements: placements(subject, shift: shift),
          sets: (try? FailureSets.upTo(2, devices: 3)) ?? [], fill: fill)
      })
  }

  @Test("say what the damaged models say, image by image", arguments: 0..<6)
  func predictions(seed: Int) throws {
    let subject = try Subject(try RandomGraph.network(seed: UInt64(seed)))
    let images = images(subject.graph, count: 9)
    let result = try study(subject, batch: 1).run(images, threads: 2, keepsPredictions: true)
    for (shift, table) in result.tables.enumerated() {
      #expect(table.rows.map(\.failed) == [[], [0], [1], [2], [0, 1], [0, 2], [1, 2]])
      for (row, predictions) in zip(table.rows, result.predictions[shift]) {
        let alive = (0..<3).map { !row.failed.contains($0) }
        let lost = placements(subject, shift: shift).map { $0.lostNeurons(alive: alive) }
        #expect(row.lostNeurons == lost.reduce(0) { $0 + $1.count })
        let damaged = try subject.damaged(Mask(lost: subject.layers.map { lost[$0] }))
        var (correct, top5) = (0, 0)
        for index in 0..<images.count {
          let scores = try whole(
            damaged, RandomGraph.input(of: subject.graph, seed: UInt64(index)))
          let order = scores.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }
          #expect(Int(predictions[index].label) == order[0], "seed \(seed), \(row.failed)")
          if order[0] == images.labels[index] { correct += 1 }
          if order.prefix(5).contains(images.labels[index]) { top5 += 1 }
        }
        #expect(row.correct == correct && row.correctTop5 == top5, "seed \(seed), \(row.failed)")
      }
    }
  }

  @Test("do not depend on batches and threads", arguments: 0..<4)
  func determinism(seed: Int) throws {
    let subject = try Subject(try RandomGraph.network(seed: UInt64(seed)))
    let images = images(subject.graph, count: 11)
    let one = try study(subject, batch: 4).run(images, threads: 1, keepsPredictions: true)
    let two = try study(subject, batch: 4).run(images, threads: 2, keepsPredictions: true)
    #expect(one.tables == two.tables && one.predictions == two.predictions)
    let single = try study(subject, batch: 1).run(images, threads: 2)
    #expect(single.predictions.isEmpty)
    #expect(single.tables.map(\.imagesDigest) == one.tables.map(\.imagesDigest))
    for (table, other) in zip(single.tables, one.tables) {
      #expect(table.rows.map(\.correct) == other.rows.map(\.correct))
    }
  }

  @Test("compute what plans share once")
  func sharing() throws {
    let subject = try Subject(try RandomGraph.chain(seed: 2))
    let study = try study(subject, batch: 1)
    #expect(study.distinctMasks < 14, "both plans have an undamaged set")
    let everywhere = FailureStudy.Subject(
      plan: "p", method: "replicate", devices: ["a", "b"],
      placements: subject.neurons.map {
        LayerPlacement(holders: Array(repeating: [0, 1], count: $0))
      }, sets: [[], [0], [1]])
    let one = FailureStudy(
      model: try subject.model(), values: subject.values, subjects: [everywhere])
    #expect(one.distinctMasks == 1)
    let table = try one.run(images(subject.graph, count: 5)).tables[0]
    #expect(Set(table.rows.map(\.correct)).count == 1)
  }

  @Test("plans may fill in different ways")
  func fills() throws {
    let subject = try Subject(try RandomGraph.chain(seed: 4))
    let model = try subject.model()
    let images = images(subject.graph, count: 6)
    let means = Plan.Fill(
      .mean,
      constants: try model.constants(of: .mean, count: 6) {
        RandomGraph.input(of: subject.graph, seed: UInt64($0)).floats ?? []
      })
    func subjects(_ fills: Plan.Fill...) throws -> [FailureStudy.Subject] {
      try fills.map { fill in
        .init(
          plan: "p", method: "m", devices: ["a", "b", "c"],
          placements: placements(subject, shift: 0), sets: try FailureSets.upTo(2, devices: 3),
          fill: fill)
      }
    }
    func run(_ subjects: [FailureStudy.Subject]) throws -> FailureStudy.Result {
      try FailureStudy(model: model, values: subject.values, subjects: subjects)
        .run(images, keepsPredictions: true)
    }
    let both = try run(try subjects(.zero, means))
    let apart = [try run(try subjects(.zero)), try run(try subjects(means))]
    #expect(both.tables == apart.map { $0.tables[0] })
    #expect(both.predictions == apart.map { $0.predictions[0] })
    #expect(both.predictions[0][1] != both.predictions[1][1])
    #expect(both.tables.map(\.fill) == [.zero, .mean])
  }

  @Test("report progress, stop, and refuse labels that are no classes")
  func control() throws {
    let subject = try Subject(try RandomGraph.chain(seed: 3))
    let study = try study(subject, batch: 2)
    let seen = Mutex<[Int]>([])
    _ = try study.run(
      images(subject.graph, count: 5), threads: 2,
      progress: { progress in seen.withLock { $0.append(progress.images) } })
    let last = seen.withLock { $0 }
    #expect(last.count == 3 && last.last == 5 && last == last.sorted())
    let stopped = #expect(throws: MartletError.self) {
      try study.run(images(subject.graph, count: 5), isStopped: { true })
    }
    #expect(stopped?.code == .cancelled)
    let bad = LabelledImages(names: ["x"], labels: [7]) { _ in Tensor([1], [Float(0)]) }
    #expect(throws: MartletError.self) { try study.run(bad) }
    let short = LabelledImages(names: ["x"], labels: [0]) { _ in Tensor([1], [Float(0)]) }
    let error = #expect(throws: MartletError.self) { try study.run(short, threads: 2) }
    #expect(error?.code == .invalidShape)
  }
}
