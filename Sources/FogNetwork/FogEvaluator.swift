import Foundations
import Kernels
import ModelGraph
import Tensors

/// Classifies samples under many failure combinations at once, in float32, one thread.
struct FogEvaluator {
  private let model: FogModel
  private let table: OutcomeTable
  private let batch: Int
  private let executions: [Execution]
  private let inputs: [ValueID]
  private let outputs: [ValueID]
  /// Results of every unit but the cloud, by unit and variant; `batch` rows each.
  private var results: [[[Float]]]

  /// Memory for results that are kept for others to add.
  private static let budget = 1 << 28

  init(_ model: FogModel, _ combinations: [FailureCombination]) throws(MartletError) {
    self.model = model
    let units = model.design.units
    table = OutcomeTable(model.design, combinations)
    let kept = zip(units, table.variants).dropLast()
    let bytesPerRow = kept.reduce(0) { $0 + $1.0.output.count * $1.1.count * 4 }
    let batch = min(max(Self.budget / max(bytesPerRow, 1), 1), 256)
    self.batch = batch
    var executions: [Execution] = []
    var inputs: [ValueID] = []
    var outputs: [ValueID] = []
    for unit in units {
      let graph = try FogDesign.graph(of: unit, batch: batch, weights: model.weights)
      inputs.append(graph.inputs[0])
      outputs.append(graph.outputs[0])
      executions.append(try Execution(Program(graph)))
    }
    self.executions = executions
    self.inputs = inputs
    self.outputs = outputs
    results = kept.map { unit, variants in
      variants.map { _ in [Float](repeating: 0, count: batch * unit.output.count) }
    }
  }

  /// The number of unit runs that each batch takes.
  var runs: Int { table.runs }

  /// Whether the answer is null, by combination.
  var nulls: [Bool] { table.answers.map { $0 == nil } }

  /// The class that each combination answers for each sample, by combination; empty where it is
  /// null.
  ///
  /// - Parameter progress: called with the number of samples that are done; may throw to stop.
  mutating func answers(
    _ data: FogData, progress: (Int) throws(MartletError) -> Void = { _ in }
  ) throws(MartletError) -> [[Int]] {
    let distinct = table.variants[table.variants.count - 1].count
    var found = [[Int]](repeating: [], count: distinct)
    for start in stride(from: 0, to: data.count, by: batch) {
      try progress(start)
      let rows = min(batch, data.count - start)
      for unit in model.design.units.indices {
        for variant in table.variants[unit].indices {
          fill(unit, variant, data, start: start, rows: rows)
          executions[unit].run(stage: 0)
          take(unit, variant, rows: rows, answers: &found)
        }
      }
    }
    try progress(data.count)
    return table.answers.map { $0.map { found[$0] } ?? [] }
  }

  private func fill(_ number: Int, _ variant: Int, _ data: FogData, start: Int, rows: Int) {
    let unit = model.design.units[number]
    let chosen = table.variants[number][variant].arrivals
    executions[number].withMutableValue(inputs[number]) { input in
      guard let target = input.baseAddress else { return }
      var isFirst = true
      for (arrival, choice) in zip(unit.arrivals, chosen) {
        guard let choice else { continue }
        func add(_ source: UnsafePointer<Float>, stride: Int) {
          HyperconnectionSum.add(
            source, count: arrival.count, stride: stride, weight: Float(arrival.weight),
            isFirst: isFirst, to: target, width: unit.input.count, rows: rows)
        }
        switch arrival.origin {
        case .source(let source):
          let first = model.design.topology.sources[source].first
          data.inputs.withUnsafeBufferPointer {
            if let base = $0.baseAddress {
              add(base + start * data.width + first, stride: data.width)
            }
          }
        case .unit(let sender):
          results[sender][choice].withUnsafeBufferPointer {
            if let base = $0.baseAddress { add(base, stride: arrival.count) }
          }
        }
        isFirst = false
      }
    }
  }

  private mutating func take(
    _ number: Int, _ variant: Int, rows: Int, answers: inout [[Int]]
  ) {
    let width = model.design.units[number].output.count
    executions[number].withValue(outputs[number]) { output in
      guard number < results.count else {
        for row in 0..<rows {
          let best = (0..<width).max { output[row * width + $0] < output[row * width + $1] }
          answers[variant].append(best ?? 0)
        }
        return
      }
      results[number][variant].withUnsafeMutableBufferPointer { target in
        for index in 0..<(rows * width) { target[index] = output[index] }
      }
    }
  }
}
