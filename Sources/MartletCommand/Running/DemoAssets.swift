import CDemoAssets

/// The demo's files, as `tools/train-demo` wrote them; they are part of the executable.
enum DemoAssets {
  /// `demo.onnx`: the network, input `image` [N, 1, 28, 28], output `logits` [N, 10].
  static var model: UnsafeRawBufferPointer { bytes(martlet_demo_model()) }

  /// `digits.tar`: `labels.tsv` (a header line, then `file<TAB>label`) and the PNG files it names.
  static var digits: UnsafeRawBufferPointer { bytes(martlet_demo_digits()) }

  /// `demo.json`: a `ModelCard`, with the accuracy measured when training.
  static var about: UnsafeRawBufferPointer { bytes(martlet_demo_about()) }

  private static func bytes(_ bytes: martlet_bytes) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: bytes.start, count: bytes.count)
  }
}
