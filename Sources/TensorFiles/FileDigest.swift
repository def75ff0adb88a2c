import COpenSSL
package import Foundations

/// SHA-256 through libcrypto, as lower-case hexadecimal text: what plans say about their shards.
package enum FileDigest {
  /// The digest of a file, read in pieces.
  package static func sha256(path: String) throws(MartletError) -> String {
    try sha256(try ReadableFile(path))
  }

  /// The digest of an open file, read in pieces.
  package static func sha256(_ file: ReadableFile) throws(MartletError) -> String {
    let digest = try Digest.start()
    var offset = 0
    while offset < file.size {
      let piece = try file.bytes(at: offset, count: min(1 << 20, file.size - offset))
      try digest.update(piece)
      offset += piece.count
    }
    return try digest.finish()
  }

  /// The digest of bytes.
  package static func sha256(_ bytes: [UInt8]) throws(MartletError) -> String {
    let digest = try Digest.start()
    try digest.update(bytes)
    return try digest.finish()
  }
}

/// One running EVP digest; its context is freed with it.
private struct Digest: ~Copyable {
  private let context: OpaquePointer

  private init(owning context: OpaquePointer) { self.context = context }

  /// A digest that has seen nothing; a machine in FIPS mode or without its provider may refuse.
  static func start() throws(MartletError) -> Digest {
    guard let context = EVP_MD_CTX_new() else { throw failure }
    let digest = Digest(owning: context)
    guard EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else { throw failure }
    return digest
  }

  deinit { EVP_MD_CTX_free(context) }

  func update(_ bytes: [UInt8]) throws(MartletError) {
    guard EVP_DigestUpdate(context, bytes, bytes.count) == 1 else { throw Digest.failure }
  }

  consuming func finish() throws(MartletError) -> String {
    var bytes = [UInt8](repeating: 0, count: 32)
    var count: UInt32 = 0
    guard EVP_MD_get_size(EVP_sha256()) == bytes.count,
      EVP_DigestFinal_ex(context, &bytes, &count) == 1
    else { throw Digest.failure }
    return bytes.map { byte in
      let text = String(byte, radix: 16)
      return byte < 16 ? "0" + text : text
    }.joined()
  }

  static var failure: MartletError {
    MartletError(.resourceExhausted, "libcrypto cannot compute a SHA-256 digest")
  }
}
