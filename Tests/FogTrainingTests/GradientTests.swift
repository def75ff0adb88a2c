import FogNetwork
import FogTraining
import Foundations
import Testing

@Suite struct GradientTests {
  /// Everybody there, null inputs at f1 and c, a null f1, and only the skip path.
  static let failures: [[Bool]] = [
    [true, true, true, true], [false, true, true, true], [true, false, true, true],
    [false, false, true, true], [true, true, false, true],
  ]

  @Test(arguments: failures) func `finite differences in float64`(alive: [Bool]) throws {
    let design = try FogDesign(.small)
    var options = FogTrainingOptions()
    options.batch = 7
    var run = TrainingRun(
      try doubleNetwork(design, batch: 7, seed: 3), options: options,
      classWeights: [0.5, 1, 2])
    let data = learnable(7, design, seed: 5)
    // One row fewer than the batch: what lies in the last one must not count.
    let rows = Array(0..<6)[...]
    _ = try unwrap(run.differentiate(data, rows, alive: alive))
    let gradients = run.parameters.map {
      Array(UnsafeBufferPointer(start: $0.gradient, count: $0.count))
    }
    let scale = gradients.joined().reduce(0) { max($0, abs($1)) }
    #expect(scale > 0)
    let step = 1e-6
    for (parameter, gradient) in zip(run.parameters, gradients) {
      for index in 0..<parameter.count {
        let kept = parameter.values[index]
        parameter.values[index] = kept + step
        let above = try unwrap(run.differentiate(data, rows, alive: alive)).loss
        parameter.values[index] = kept - step
        let below = try unwrap(run.differentiate(data, rows, alive: alive)).loss
        parameter.values[index] = kept
        let expected = (above - below) / (2 * step)
        #expect(
          abs(gradient[index] - expected) <= 1e-6 * max(scale, 1e-3),
          "\(parameter.name)[\(index)]: \(gradient[index]) against \(expected)")
      }
    }
  }

  @Test(arguments: failures) func `float32 agrees with float64`(alive: [Bool]) throws {
    let design = try FogDesign(.small)
    let data = learnable(9, design, seed: 8)
    let weights = InitialWeights.make(design, start: .he, seed: 4)
    let options = FogTrainingOptions()
    var single = TrainingRun(
      try TrainingNetwork<TapeUnit>(design, batch: 9) { unit, needs throws(MartletError) in
        try TapeUnit(unit, batch: 9, weights: weights, needsInputGradient: needs)
      }, options: options, classWeights: [1, 1, 1])
    var double = TrainingRun(
      try TrainingNetwork<DoubleUnit>(design, batch: 9) { unit, needs throws(MartletError) in
        try DoubleUnit(unit, batch: 9, weights: weights, needsInputGradient: needs)
      }, options: options, classWeights: [1, 1, 1])
    for _ in 0..<3 {
      let a = try unwrap(single.step(data, Array(0..<9)[...], alive: alive))
      let b = try unwrap(double.step(data, Array(0..<9)[...], alive: alive))
      #expect(abs(a.loss - b.loss) < 1e-5)
      #expect(a.correct == b.correct)
    }
    for (a, b) in zip(single.parameters, double.parameters) {
      #expect(a.name == b.name)
      for index in 0..<a.count { #expect(abs(Double(a.values[index]) - b.values[index]) < 1e-4) }
    }
  }

  @Test func `nothing that reaches the cloud changes nothing`() throws {
    var topology = FogTopology.small
    topology.connections.removeAll { $0.skip }
    let design = try FogDesign(topology)
    var run = TrainingRun(
      try doubleNetwork(design, batch: 4, seed: 1), options: FogTrainingOptions(),
      classWeights: [1, 1, 1])
    let before = run.parameters.map(\.copy)
    let result = run.step(
      learnable(4, design, seed: 1), Array(0..<4)[...], alive: [true, true, false, true])
    #expect(result == nil)
    #expect(run.parameters.map(\.copy) == before)
    #expect(run.adam.steps == 0)
  }

  @Test func `convolutions with a projected skip, against finite differences`() throws {
    let design = try FogDesign(.images)
    let weights = InitialWeights.make(design, start: .he, seed: 2)
    var run = TrainingRun(
      try TrainingNetwork<TapeUnit>(design, batch: 4) { unit, needs throws(MartletError) in
        try TapeUnit(unit, batch: 4, weights: weights, needsInputGradient: needs)
      }, options: FogTrainingOptions(), classWeights: [1, 1])
    let data = learnable(4, design, seed: 6)
    for alive in [
      [true, true, true, true], [true, true, false, true], [false, true, true, true],
    ] {
      _ = try unwrap(run.differentiate(data, Array(0..<4)[...], alive: alive))
      let gradients = run.parameters.map {
        Array(UnsafeBufferPointer(start: $0.gradient, count: $0.count))
      }
      let scale = Double(gradients.joined().reduce(0) { max($0, abs($1)) })
      let step: Float = 4e-3
      for (parameter, gradient) in zip(run.parameters, gradients) {
        for index in stride(from: 0, to: parameter.count, by: 5) {
          let kept = parameter.values[index]
          parameter.values[index] = kept + step
          let above = try unwrap(run.differentiate(data, Array(0..<4)[...], alive: alive)).loss
          parameter.values[index] = kept - step
          let below = try unwrap(run.differentiate(data, Array(0..<4)[...], alive: alive)).loss
          parameter.values[index] = kept
          let expected = (above - below) / Double(2 * step)
          #expect(
            abs(Double(gradient[index]) - expected) <= 2e-2 * scale,
            "\(parameter.name)[\(index)] with \(alive)")
        }
      }
    }
  }
}
