import ArgumentParser
import FogNetwork
import Foundations
import JSONCoding
import TensorFiles

/// `martlet fog`: networks whose layers lie on edge, fog and cloud nodes.
struct Fog: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Networks across edge, fog and cloud that are trained for failure.",
    discussion: """
      A topology file names physical nodes, their layers and the hyperconnections between them
      (deepFogGuard, Yousefpour et al. 2019). What arrives at a node is added up; what does not
      arrive is ignored; skip hyperconnections let information flow past a node that has failed.

      Examples:
        martlet fog describe topology.json --svg topology.svg
        martlet fog train topology.json --data data/ -o model.fog
        martlet fog evaluate model.fog --data data/ --svg figure.svg
        martlet fog plan model.fog -o plan
      """,
    subcommands: [FogDescribe.self, FogTrain.self, FogEvaluate.self, FogPlanCommand.self])
}

extension FogDesign {
  /// The largest topology file.
  private static let fileLimit = 16 << 20

  /// Reads a topology file, or the topology of a trained network.
  static func load(_ path: String) throws(MartletError) -> FogDesign {
    let file = try ReadableFile(path)
    // A safetensors file has its JSON behind eight bytes of length.
    let start = try file.bytes(at: 0, count: min(file.size, 9))
    if start.count == 9, start[8] == UInt8(ascii: "{"), start[7] == 0 {
      return try FogModel(reading: path).design
    }
    let topology = try JSON.decode(
      FogTopology.self, from: try FileSystem.read(path, limit: fileLimit), source: path)
    do { return try FogDesign(topology) } catch { throw error.adding("file", path) }
  }
}
