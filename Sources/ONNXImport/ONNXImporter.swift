import FoundationEssentials
package import Foundations
import Glibc
package import ModelGraph
import SwiftProtobuf

/// Reads ONNX models.
package enum ONNXImporter {
  /// The versions of the ONNX operator set that can be read.
  package static let supportedOpsets = 7...23

  /// Reads a model and optimises it.
  ///
  /// The file is not trusted: sizes are checked before anything is allocated, external weights must
  /// lie in the model's folder or in the hub's cache that it is a snapshot of, and only operators that
  /// the result needs are looked at. What follows from constants is computed.
  ///
  /// - Parameters:
  ///   - path: The ONNX file.
  ///   - batch: Images per run: the extent of a first dimension that the model leaves open.
  ///   - dimensions: Extents of other open dimensions, by their names in the model.
  ///   - optimising: Whether to simplify the graph; without, its nodes are those of the file.
  /// - Returns: A valid graph with static shapes.
  /// - Throws: `.notFound`, `.permissionDenied` or `.io` for the file itself, `.invalidFile` when it
  ///   is no ONNX model or contradicts itself, `.invalidShape` when shapes do not fit,
  ///   `.unsupported` for operators and types that are not known, `.invalidArgument` for open
  ///   dimensions without an extent, `.resourceExhausted` for models that would take too much.
  package static func load(
    path: String, batch: Int = 1, dimensions: [String: Int] = [:], optimising: Bool = true
  ) throws(MartletError) -> Graph {
    guard batch >= 1, dimensions.values.allSatisfy({ $0 >= 1 }) else {
      throw MartletError(
        .invalidArgument, "the batch and all dimensions must be at least 1",
        context: ["batch": "\(batch)", "dimensions": "\(dimensions)"])
    }
    do {
      let model = try decode(path: path)
      var lowering = Lowering(
        reader: TensorReader(modelPath: path), opset: try opset(of: model),
        binding: DimensionBinding(batch: batch, named: dimensions))
      let graph = try lowering.graph(model.graph)
      if optimising { return try graph.optimised() }
      try graph.validate()
      return graph
    } catch {
      throw error.context.contains { $0.key == "file" } ? error : error.adding("file", path)
    }
  }

  private static func decode(path: String) throws(MartletError) -> Onnx_ModelProto {
    let data = try ModelFile.read(path: path)
    var options = BinaryDecodingOptions()
    options.discardUnknownFields = true
    // What the decoder copies out of it: nearly everything is weights.
    try MemoryLimit.require(data.count, for: "the model's weights")
    let model: Onnx_ModelProto
    do {
      model = try Onnx_ModelProto(serializedBytes: data, options: options)
    } catch {
      if let whole = DeclaredSize.bytes(of: data) {
        throw MartletError(
          .invalidFile, "this ONNX model is truncated",
          context: ["bytes": "\(data.count)", "expected bytes": "\(whole) or more"],
          hint: "copy or download it again")
      }
      throw MartletError(
        .invalidFile, "this is not an ONNX model, or it is damaged",
        context: ["bytes": "\(data.count)", "reason": "\(error)"],
        hint: "copy or download it again, or export the model anew")
    }
    guard model.hasGraph, model.irVersion > 0 else {
      throw MartletError(
        .invalidFile, "this is not an ONNX model: it holds no graph",
        context: ["bytes": "\(data.count)"])
    }
    guard model.graph.sparseInitializer.isEmpty else {
      throw MartletError(.unsupported, "sparse initialisers are not supported")
    }
    return model
  }

  private static func opset(of model: Onnx_ModelProto) throws(MartletError) -> Int {
    let versions = model.opsetImport.filter { Lowering.isDefaultDomain($0.domain) }.map(\.version)
    guard let version = versions.first else {
      throw MartletError(.invalidFile, "the model does not say which operator set it uses")
    }
    guard versions.count == 1, let opset = Int(exactly: version), supportedOpsets.contains(opset)
    else {
      throw MartletError(
        .unsupported, "the model uses a version of the operator set that is not supported",
        context: ["opset": "\(versions.map(String.init).joined(separator: ", "))"],
        hint: "export it with opset_version from \(supportedOpsets.lowerBound) to "
          + "\(supportedOpsets.upperBound), or convert it: onnx.version_converter.convert_version")
    }
    return opset
  }
}
