import Foundations
import JSONCoding
import TensorFiles
import Tensors

/// All that a training run needs to go on after an epoch as if it had never stopped.
struct TrainingCheckpoint<Scalar: Real> {
  struct Status: Codable {
    var version = 1
    /// Of everything that decides the run but the number of epochs.
    var fingerprint: String
    var epoch: Int
    var steps: Int
    var bestEpoch: Int
    var bestAccuracy: Double
    var bestLoss: Double
  }

  var status: Status
  var values: [[Scalar]]
  var means: [[Scalar]]
  var squares: [[Scalar]]
  var best: [[Scalar]]

  private static var key: String { "martlet_fog_checkpoint" }
  private static var groups: [String] { ["values", "means", "squares", "best"] }

  func write(to path: String) throws(MartletError) {
    var tensors: [(name: String, tensor: Tensor)] = []
    for (group, arrays) in zip(Self.groups, [values, means, squares, best]) {
      for (index, array) in arrays.enumerated() {
        tensors.append(("\(group).\(index)", Scalar.tensor([array.count], array)))
      }
    }
    try SafetensorsFile.write(
      path, tensors: tensors, metadata: [(Self.key, try JSON.encodeString(status))])
  }

  init(
    status: Status, values: [[Scalar]], means: [[Scalar]], squares: [[Scalar]], best: [[Scalar]]
  ) {
    self.status = status
    self.values = values
    self.means = means
    self.squares = squares
    self.best = best
  }

  /// - Parameter counts: elements by parameter.
  /// - Throws: `mismatch` for a checkpoint of another run, `invalidFile` for what is none.
  init(reading path: String, fingerprint: String, counts: [Int]) throws(MartletError) {
    let file = try SafetensorsFile(path)
    guard let text = file.header.metadata[Self.key] else {
      throw MartletError(
        .invalidFile, "this is not a checkpoint of martlet fog train", context: ["file": path])
    }
    status = try JSON.decode(Status.self, from: text, source: path)
    guard status.version == 1, status.fingerprint == fingerprint else {
      throw MartletError(
        .mismatch, "the checkpoint is of another topology, other data or other options",
        context: ["file": path], hint: "give the same options, or --restart")
    }
    func read(_ group: String) throws(MartletError) -> [[Scalar]] {
      var arrays: [[Scalar]] = []
      for (index, count) in counts.enumerated() {
        let name = "\(group).\(index)"
        guard let values = Scalar.values(try file.tensor(name)), values.count == count else {
          throw MartletError(
            .invalidFile, "a tensor of the checkpoint has another size",
            context: ["file": path, "tensor": name])
        }
        arrays.append(values)
      }
      return arrays
    }
    values = try read(Self.groups[0])
    means = try read(Self.groups[1])
    squares = try read(Self.groups[2])
    best = try read(Self.groups[3])
  }
}
