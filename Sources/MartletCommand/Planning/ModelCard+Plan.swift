import Imaging
import ModelGraph
import Plan
import TensorCore
import TensorFiles

extension ModelCard {
  /// What a plan says of the model.
  ///
  /// - Parameter path: the model's file.
  func model(of graph: Graph, path: String) throws(MartletError) -> Plan.Model {
    Plan.Model(
      name: graph.name, sha256: try FileDigest.sha256(path: path),
      preprocessing: try preprocessing(for: graph),
      labels: try classNames(for: graph)?.names ?? [], frequencies: frequencies,
      head: try head(of: graph))
  }
}
