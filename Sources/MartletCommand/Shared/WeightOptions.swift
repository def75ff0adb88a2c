import ArgumentParser
import ModelGraph
import Tensors

/// How the weights of a model that runs in this process are stored.
struct WeightOptions: ParsableArguments {
  @Option(
    help: """
      How the weights of layers are stored in memory: \(WeightType.summary); a plan made with the same \
      --weights gives these answers.
      """)
  var weights: WeightType = .f32
}

extension WeightType: ExpressibleByArgument {}

extension WeightType {
  /// Names the weights that this type cannot hold on standard error.
  func tellUnstorable(of graph: Graph) {
    let names = graph.unstorable(as: self)
    guard !names.isEmpty else { return }
    let shown = names.prefix(8).joined(separator: ", ") + (names.count > 8 ? ", …" : "")
    Terminal.printLine(
      "martlet: \(names.count) of the model's weights stay f32, because \(rawValue) cannot hold them: "
        + shown)
  }
}
