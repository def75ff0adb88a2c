import Foundations
import Glibc

/// Writes the configuration of a mosquitto and starts it.
struct BrokerLauncher: Sendable {
  let folder: String
  private let program: String
  private let identity: UserIdentity?

  var socketPath: String { "\(folder)/mqtt.sock" }
  private var configurationPath: String { "\(folder)/mosquitto.conf" }
  private var logPath: String { "\(folder)/mosquitto.log" }
  /// What mosquitto says before its log is open, such as a mistake in the configuration.
  private var outputPath: String { "\(folder)/mosquitto.out" }

  init(folder: String) throws(MartletError) {
    guard let program = System.findExecutable("mosquitto") else {
      throw MartletError(
        .notFound, "The MQTT broker mosquitto is not installed", context: ["program": "mosquitto"],
        hint: "sudo apt-get install mosquitto")
    }
    self.program = program
    self.folder = folder
    identity =
      UserIdentity.isRoot
      ? UserIdentity(named: "mosquitto") ?? UserIdentity(named: "nobody") : nil
  }

  func configure(port: UInt16, extra: String, allowsAnonymous: Bool) throws(MartletError) {
    var text = ""
    for line in EmbeddedBrokerTemplate.text.split(
      separator: "\n", omittingEmptySubsequences: false)
    {
      if !allowsAnonymous && line.hasPrefix("allow_anonymous") { continue }
      text += line.replacing("{SOCKET}", with: socketPath).replacing("{PORT}", with: "\(port)")
        .replacing("{LOG}", with: logPath)
      text += "\n"
    }
    let extra = extra.replacing("{FOLDER}", with: folder)
    try write(text + extra + "\n", to: configurationPath)
    guard let identity else { return }
    // Every file that tests have put there, too: the broker may read what its folder holds.
    guard chown(folder, identity.user, identity.group) == 0,
      chown(configurationPath, identity.user, identity.group) == 0
    else {
      throw MartletError(
        .io, "The broker's folder cannot be handed over", context: ["folder": folder])
    }
  }

  /// Starts mosquitto and waits until both listeners accept.
  func launch(port: UInt16, timeout: Duration) throws(MartletError) -> ChildProcess {
    unlink(socketPath)
    let child = try ChildProcess(
      .init(
        executable: program, arguments: ["-c", configurationPath],
        standardOutput: .file(outputPath),
        standardError: .appended(outputPath), identity: identity))
    let deadline = ContinuousClock.now + timeout
    while !(accepts(.unix(socketPath)) && accepts(.loopback(port))) {
      if let status = child.exitStatus {
        throw MartletError(
          .io, "The MQTT broker did not start: \(reason)",
          context: ["program": program, "ended with": status.description])
      }
      guard ContinuousClock.now < deadline else {
        child.stop(patience: .seconds(1))
        throw MartletError(
          .timedOut, "The MQTT broker did not start in time: \(reason)",
          context: ["program": program])
      }
      // There is nothing to wait for but the child's end; a start takes a few milliseconds.
      child.pause(2)
    }
    return child
  }

  /// The broker's last words.
  private var reason: String {
    let text = logTail(600) + (readSmallFile(outputPath) ?? "").suffix(600)
    let lines = text.split(separator: "\n").suffix(6).joined(separator: " / ")
    return lines.isEmpty ? "it left no message" : lines
  }

  func logTail(_ limit: Int) -> String {
    let descriptor = open(logPath, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { Glibc.close(descriptor) }
    let size = Int(lseek(descriptor, 0, SEEK_END))
    lseek(descriptor, max(0, size - limit), SEEK_SET)
    var bytes = [UInt8](repeating: 0, count: min(max(size, 0), limit))
    let count = read(descriptor, &bytes, bytes.count)
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  }

  private func write(_ text: String, to path: String) throws(MartletError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw MartletError(
        .io, "A file cannot be written: \(String(cString: strerror(errno)))",
        context: ["file": path])
    }
    defer { Glibc.close(descriptor) }
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      guard count > 0 else {
        throw MartletError(.io, "A file cannot be written", context: ["file": path])
      }
      bytes = bytes.dropFirst(count)
    }
  }
}

private enum Listener {
  case unix(String)
  case loopback(UInt16)
}

/// Whether somebody accepts connections there now.
private func accepts(_ listener: Listener) -> Bool {
  let family: Int32
  switch listener {
  case .unix: family = AF_UNIX
  case .loopback: family = AF_INET
  }
  let descriptor = socket(family, Int32(SOCK_STREAM.rawValue) | 0o2000000, 0)
  guard descriptor >= 0 else { return false }
  defer { Glibc.close(descriptor) }
  switch listener {
  case .unix(let path):
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    guard path.utf8.count < MemoryLayout.size(ofValue: name.sun_path) else { return false }
    withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
    return withUnsafePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
      }
    }
  case .loopback(let port):
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = port.bigEndian
    name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }
}
