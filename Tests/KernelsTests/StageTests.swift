import Foundations
import Kernels
import ModelGraph
import Tensors
import TestSupport
import Testing

/// A small network cut by hand for two devices must compute what the whole one does.
@Suite struct StageTests {
  static let weights: [Tensor] = {
    var random = SeededGenerator(11)
    return [
      random.tensor([8, 3, 3, 3]), random.tensor([8]), random.tensor([8, 1, 3, 3]),
      random.tensor([6, 8, 1, 1]), random.tensor([5, 6 * 4 * 4]), random.tensor([5]),
    ]
  }()

  static let first = Convolution(
    kernel: Pair(3, 3), padding: Padding(1, 1, 1, 1), activation: .relu)

  static func depthwise(_ channels: Int) -> Convolution {
    Convolution(
      kernel: Pair(3, 3), padding: Padding(1, 1, 1, 1), groups: channels, activation: .silu)
  }

  static let pooling = Pooling(kind: .maximum, kernel: Pair(2, 2), strides: Pair(2, 2))

  /// Some of a weight's rows.
  static func rows(_ index: Int, _ range: Range<Int>) -> Tensor {
    let tensor = weights[index]
    let size = tensor.shape.count / tensor.shape[0]
    let values = (tensor.floats ?? [])[range.lowerBound * size..<range.upperBound * size]
    return Tensor(tensor.shape.replacing(axis: 0, with: range.count), Array(values))
  }

  /// The network, or the part of it that owns the given neurons of the three layers.
  static func graph(owned: [Range<Int>]?, extents: [[Int]]) -> Graph {
    var graph = Graph(name: "part")
    var x = graph.add(Graph.Value(name: "x", shape: [1, 3, 8, 8]))
    graph.inputs = [x]
    func constant(_ index: Int, _ range: Range<Int>) -> ValueID {
      graph.add(constant: rows(index, range), name: "w\(graph.values.count)")
    }
    func gather(_ layer: Int, _ shape: Shape) {
      guard owned != nil else { return }
      x = graph.append(
        .exchange(Exchange(layer: "l\(layer)", axis: 1, extents: extents[layer])), [x], shape)
    }
    let part = owned ?? [0..<8, 0..<6, 0..<5]
    let count = part.map(\.count)
    x = graph.append(
      .convolution(first), [x, constant(0, part[0]), constant(1, part[0])],
      [1, count[0], 8, 8])
    x = graph.append(
      .convolution(depthwise(count[0])), [x, constant(2, part[0])], [1, count[0], 8, 8])
    x = graph.append(.pooling(pooling), [x], [1, count[0], 4, 4])
    gather(0, [1, 8, 4, 4])
    let residual = graph.append(.activation(.tanh), [x], [1, 8, 4, 4])
    x = graph.append(.binary(.add), [x, residual], [1, 8, 4, 4])
    x = graph.append(
      .convolution(Convolution(kernel: Pair(1, 1))), [x, constant(3, part[1])],
      [1, count[1], 4, 4])
    gather(1, [1, 6, 4, 4])
    x = graph.append(.reshape, [x], [1, 96])
    x = graph.append(
      .dense(Dense()), [x, constant(4, part[2]), constant(5, part[2])], [1, count[2]])
    gather(2, [1, 5])
    graph.outputs = [x]
    return graph
  }

  /// Also if both compute in turn in one memory, as frames under way in one worker do.
  @Test(arguments: [(3, 2, 5), (8, 0, 0), (0, 6, 2), (4, 3, 1)], [false, true])
  func twoDevicesReproduceTheWhole(split: (Int, Int, Int), isShared: Bool) throws {
    var random = SeededGenerator(12)
    let image = random.tensor([1, 3, 8, 8])
    let totals = [8, 6, 5]
    let cuts = [split.0, split.1, split.2]
    let extents = zip(cuts, totals).map { [$0, $1 - $0] }
    let whole = try Execution(Program(Self.graph(owned: nil, extents: [])))
    let expected = try whole.run(inputs: [image])[0].floats ?? []

    let programs = [
      try Program(Self.graph(owned: cuts.map { 0..<$0 }, extents: extents)),
      try Program(
        Self.graph(owned: zip(cuts, totals).map { $0..<$1 }, extents: extents)),
    ]
    #expect(programs[0].stages.map(\.exchanges.count) == [1, 1, 1, 0])
    let memory = StageMemory()
    let devices = try programs.map {
      isShared ? try Execution($0, sharing: memory) : try Execution($0)
    }
    for _ in 0..<3 {
      for (program, device) in zip(programs, devices) {
        device.withMutableValue(program.graph.inputs[0]) {
          _ = $0.update(from: image.floats ?? [])
        }
      }
      for stage in programs[0].stages.indices {
        for device in devices { device.run(stage: stage) }
        for index in programs[0].stages[stage].exchanges {
          // Parts lie one after the other along axis 1 of one image.
          let parts = zip(programs, devices).map { program, device in
            device.withValue(program.graph.nodes[index].inputs[0]) { Array($0) }
          }
          for (program, device) in zip(programs, devices) {
            device.withMutableValue(program.graph.nodes[index].output) {
              _ = $0.update(from: parts[0] + parts[1])
            }
          }
        }
      }
      for (program, device) in zip(programs, devices) {
        let result = device.withValue(program.graph.outputs[0]) { Array($0) }
        #expect(difference(result, expected) < 1e-5)
      }
    }
  }

  /// The own parts outlive the filling of every result of their boundary.
  @Test func ownPartsSurvive() throws {
    let extents = [[4, 4], [3, 3], [2, 3]]
    let program = try Program(Self.graph(owned: [0..<4, 0..<3, 0..<2], extents: extents))
    let execution = try Execution(program)
    for (number, stage) in program.stages.enumerated() {
      execution.run(stage: number)
      for index in stage.exchanges {
        let node = program.graph.nodes[index]
        let before = execution.withValue(node.inputs[0]) { Array($0) }
        execution.withMutableValue(node.output) { $0.update(repeating: -1) }
        #expect(execution.withValue(node.inputs[0]) { Array($0) } == before)
      }
    }
  }

  /// A frame that waits at a boundary keeps what it has gathered, its own parts and its inputs, whatever
  /// other frames compute meanwhile in the same memory.
  @Test func waitingFramesKeepWhatTheyNeed() throws {
    let extents = [[4, 4], [3, 3], [2, 3]]
    let program = try Program(Self.graph(owned: [0..<4, 0..<3, 0..<2], extents: extents))
    let memory = StageMemory()
    func run(_ execution: Execution, stage: Int, seed: Int) {
      if stage == 0 {
        execution.withMutableValue(program.graph.inputs[0]) { $0.update(repeating: Float(seed)) }
      }
      execution.run(stage: stage)
      for index in program.stages[stage].exchanges {
        let node = program.graph.nodes[index]
        let own = execution.withValue(node.inputs[0]) { Array($0) }
        execution.withMutableValue(node.output) { gathered in
          for position in gathered.indices { gathered[position] = own[position % own.count] }
        }
      }
    }
    func output(_ execution: Execution) -> [Float] {
      execution.withValue(program.graph.outputs[0]) { Array($0) }
    }
    let expected = try (1...3).map { seed in
      let alone = try Execution(program)
      for stage in program.stages.indices { run(alone, stage: stage, seed: seed) }
      return output(alone)
    }
    #expect(Set(expected).count == 3)
    let frames = try (1...3).map { _ in try Execution(program, sharing: memory) }
    for stage in program.stages.indices {
      for (number, frame) in frames.enumerated() { run(frame, stage: stage, seed: number + 1) }
    }
    #expect(frames.map(output) == expected)
  }

  @Test func framesShareWhatOnlyAStageNeeds() throws {
    let extents = [[4, 4], [3, 3], [2, 3]]
    let program = try Program(Self.graph(owned: [0..<4, 0..<3, 0..<2], extents: extents))
    let larger = try Program(
      Self.graph(owned: [0..<8, 0..<3, 0..<2], extents: [[8, 0], [3, 3], [2, 3]]))
    let memory = StageMemory()
    _ = try Execution(program, sharing: memory)
    let bytes = memory.bytes
    #expect(bytes > 0 && bytes < program.arenaBytes)
    _ = try Execution(program, sharing: memory)
    #expect(memory.bytes == bytes)
    _ = try Execution(larger, sharing: memory)
    let alone = StageMemory()
    _ = try Execution(larger, sharing: alone)
    #expect(memory.bytes > bytes && memory.bytes < bytes + alone.bytes)
  }

  @Test func timedRunsComputeTheSame() throws {
    var random = SeededGenerator(13)
    let image = random.tensor([1, 3, 8, 8])
    let program = try Program(Self.graph(owned: nil, extents: []))
    let execution = try Execution(program)
    let expected = try execution.run(inputs: [image])[0].floats ?? []
    execution.withMutableValue(program.graph.inputs[0]) { _ = $0.update(from: image.floats ?? []) }
    let seconds = execution.runTimed(stage: 0)
    #expect(seconds.count == program.graph.nodes.count && seconds.allSatisfy { $0 >= 0 })
    #expect(execution.withValue(program.graph.outputs[0]) { Array($0) } == expected)
  }
}
