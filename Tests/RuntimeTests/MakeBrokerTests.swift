import Foundations
import Glibc
import Logging
import MQTT
import Processes
import TensorFiles
import TestSupport
import Testing

/// A broker from `tools/make-broker`, started as its message says, by whom it finds.
@Suite(.serialized) struct MakeBrokerTests {
  /// Makes a broker's folder in `home`, starts the broker and connects as the client.
  private func check(home: String, name: String, prefix: [String] = []) throws {
    let folder = home + "/" + name
    let port = try System.freeLoopbackPort()
    let make = try ChildProcess(
      .init(
        executable: "/usr/bin/env",
        arguments: prefix + [
          checkout + "/tools/make-broker", "--host", "localhost", "--client", "laptop",
          "--devices", "camera,tablet", "--port", "\(port)", folder,
        ], standardOutput: .discarded, standardError: .file(home + "/make.err")))
    let status = make.wait(timeout: .seconds(60))
    let complaint = try FileSystem.readText(home + "/make.err")
    try #require(status == .exited(0), "\(complaint)")
    let broker = try ChildProcess(
      .init(
        executable: "/usr/sbin/mosquitto", arguments: ["-c", folder + "/mosquitto.conf"],
        standardOutput: .discarded, standardError: .file(home + "/broker.err")))
    defer { broker.stop(patience: .seconds(2)) }
    var address = try BrokerAddress(parsing: "mqtts://localhost:\(port)")
    address.username = "laptop"
    let password = try FileSystem.readText(folder + "/users/laptop")
    address.password = String(password.split(separator: "\n")[0])
    var configuration = MQTTConfiguration(address: address)
    configuration.tls.authorityFile = folder + "/authority.pem"
    let client = try MQTTClient(configuration, logger: Logger(label: "make-broker"))
    defer { client.close() }
    do {
      try client.connect(timeout: .seconds(20))
    } catch {
      Issue.record("\(error): \(try FileSystem.readText(home + "/broker.err"))")
    }
  }

  @Test func anOrdinaryFolderServes() throws {
    try TemporaryFolder.with(prefix: "martlet-broker") { folder in
      chmod(folder, 0o755)
      try check(home: folder, name: "broker")
      #expect(!isLink(folder + "/broker"))
    }
  }

  /// Root's home is closed to the user that mosquitto becomes.
  @Test(.enabled(if: geteuid() == 0, "only root starts a broker as another user"))
  func aClosedHomeServes() throws {
    try TemporaryFolder.with(prefix: "martlet-broker") { folder in
      chmod(folder, 0o700)
      let name = FileSystem.name(of: folder)
      defer {
        for part in ["/users", ""] {
          try? FileSystem.removeFlatFolder("/var/lib/martlet/" + name + part)
        }
      }
      try check(home: folder, name: name)
      #expect(isLink(folder + "/" + name))
      // What people need lies behind the link and is not the broker's.
      var status = stat()
      #expect(stat(folder + "/\(name)/authority.key", &status) == 0 && status.st_uid == 0)
    }
  }

  /// Through sudo the broker works as whoever called it.
  @Test(.enabled(if: geteuid() == 0, "only root starts a broker as another user"))
  func throughSudoTheFolderIsTheCallers() throws {
    try TemporaryFolder.with(prefix: "martlet-broker") { folder in
      chmod(folder, 0o755)
      try check(home: folder, name: "broker", prefix: ["SUDO_USER=nobody"])
      var status = stat()
      #expect(stat(folder + "/broker/users/laptop", &status) == 0 && status.st_uid != 0)
      #expect(
        try FileSystem.readText(folder + "/broker/mosquitto.conf").contains("\nuser nobody\n"))
    }
  }

  private func isLink(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
  }
}
