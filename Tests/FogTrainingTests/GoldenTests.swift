import FogNetwork
import FogTraining
import Foundation
import Foundations
import JSONCoding
import TensorFiles
import Tensors
import Testing

/// Three steps of PyTorch with weights that are given.
@Suite struct GoldenTests {
  struct Golden: Decodable {
    struct Step: Decodable {
      var alive: [Bool]
      var loss: Double
      var parameters: [String: [Double]]
    }
    var rate: Double
    var classWeights: [Double]
    var samples: [Float]
    var labels: [Int]
    var start: [String: [Float]]
    var steps: [Step]
  }

  @Test func `three steps of Adam as in PyTorch`() throws {
    let path = try #require(
      Bundle.module.path(forResource: "three-steps", ofType: "json", inDirectory: "Goldens"))
    let golden = try JSON.decode(Golden.self, from: try FileSystem.read(path), source: path)
    let design = try FogDesign(.small)
    var weights: [String: Tensor] = [:]
    for layer in design.units.flatMap(\.layers) {
      let (weight, bias) = (layer.weights ?? "", layer.bias ?? "")
      weights[weight] = Tensor(
        [layer.output.count, layer.input.count], try #require(golden.start[weight]))
      weights[bias] = Tensor([layer.output.count], try #require(golden.start[bias]))
    }
    let given = weights
    let batch = golden.labels.count
    var options = FogTrainingOptions()
    options.rate = golden.rate
    var run = TrainingRun(
      try TrainingNetwork<DoubleUnit>(design, batch: batch) { unit, needs throws(MartletError) in
        try DoubleUnit(unit, batch: batch, weights: given, needsInputGradient: needs)
      }, options: options, classWeights: golden.classWeights)
    let data = FogData(inputs: golden.samples, width: 5, labels: golden.labels)
    #expect(golden.steps.count == 3)
    for step in golden.steps {
      let result = try unwrap(run.step(data, Array(0..<batch)[...], alive: step.alive))
      #expect(abs(result.loss - step.loss) < 1e-9)
      for parameter in run.parameters {
        let wanted = try #require(step.parameters[parameter.name])
        for index in 0..<parameter.count {
          #expect(
            abs(parameter.values[index] - wanted[index]) < 1e-9, "\(parameter.name)[\(index)]")
        }
      }
    }
  }
}
