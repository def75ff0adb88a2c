import TensorCore

extension TensorFields {
  /// Reads the header of any safetensors file with one tensor.
  init(anyForm bytes: UnsafeRawBufferPointer) throws(MartletError) {
    throw MartletError(.unsupported, "this form of tensor message is not read yet")
  }
}
