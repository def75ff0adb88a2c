import Foundations
import Glibc
import Processes
import Testing

/// A certificate and its key in files, made by openssl.
struct TestCertificate {
  let folder: String
  let name: String
  /// The authority that has issued it; nil for an authority.
  let issuer: String?

  var certificate: String { "\(folder)/\(name).pem" }
  var key: String { "\(folder)/\(name).key" }

  /// An authority of its own.
  static func authority(in folder: String, name: String) throws -> TestCertificate {
    let authority = TestCertificate(folder: folder, name: name, issuer: nil)
    try run([
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
      "2", "-subj", "/CN=\(name)",
      "-keyout", authority.key, "-out", authority.certificate,
    ])
    return authority
  }

  /// A certificate of this authority for a host name.
  ///
  /// - Parameter validity: first and last moment, as openssl writes them (`20200101000000Z`); two days
  ///   from now on if nil.
  func issue(
    _ name: String, host: String, validity: (from: String, to: String)? = nil
  ) throws -> TestCertificate {
    let issued = TestCertificate(folder: folder, name: name, issuer: certificate)
    let request = "\(folder)/\(name).csr"
    try Self.run([
      "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
      "/CN=\(host)", "-addext",
      "subjectAltName=DNS:\(host)", "-keyout", issued.key, "-out", request,
    ])
    if let validity {
      // Only the `ca` command of all versions takes dates, and it wants books.
      let books = "\(folder)/\(name).ca"
      mkdir(books, 0o755)
      try write("", to: books + "/index.txt")
      try write(
        """
        [ca]
        default_ca = test
        [test]
        database = \(books)/index.txt
        new_certs_dir = \(books)
        rand_serial = yes
        default_md = sha256
        policy = any
        copy_extensions = copy
        [any]
        commonName = supplied
        """, to: books + "/ca.conf")
      try Self.run([
        "ca", "-batch", "-notext", "-config", books + "/ca.conf", "-cert", certificate, "-keyfile",
        key, "-in", request, "-out", issued.certificate, "-startdate", validity.from, "-enddate",
        validity.to,
      ])
    } else {
      try Self.run([
        "x509", "-req", "-in", request, "-CA", certificate, "-CAkey", key, "-CAcreateserial",
        "-days", "2", "-copy_extensions", "copy", "-out", issued.certificate,
      ])
    }
    for file in [issued.key, issued.certificate] { chmod(file, 0o644) }
    return issued
  }

  /// Lines of a broker's configuration that listen on a port with this certificate.
  func listener(port: UInt16) -> String {
    """
    listener \(port) 127.0.0.1
    certfile \(certificate)
    keyfile \(key)
    """
  }

  private static func run(_ arguments: [String]) throws {
    let openssl = try #require(
      System.findExecutable("openssl"), "openssl is not installed, so TLS is not tested")
    _ = try ChildProcess.output(
      of: .init(executable: openssl, arguments: arguments), timeout: .seconds(30))
  }

  private func write(_ text: String, to path: String) throws {
    let stream = try #require(fopen(path, "w"))
    fputs(text, stream)
    fclose(stream)
  }
}
