import Foundations
import Glibc
import Processes
import Testing

/// Behaviour that needs a whole process of its own: the test program starts itself again with a
/// role, and the role's test, which is skipped otherwise, plays it.
@Suite(.serialized) struct RoleTests {
  /// SIGKILL gives the parent no chance to clean up; its children end all the same, the broker that
  /// gave up root's rights included.
  @Test func childrenDieWithAKilledParent() throws {
    let folder = try TemporaryFolder(prefix: "martlet-role")
    let parent = try play("actsAsParent", folder.path)
    let line = try #require(waitForLine("\(folder.path)/report", parent))
    let children = line.split(separator: " ").compactMap { Int32($0) }
    #expect(children.count == 2)
    #expect(children.allSatisfy(isRunning))
    parent.signal(SIGKILL)
    #expect(parent.wait(timeout: .seconds(10)) == .signalled(SIGKILL))
    let deadline = ContinuousClock.now + .seconds(10)
    while children.contains(where: isRunning) && ContinuousClock.now < deadline { sched_yield() }
    #expect(!children.contains(where: isRunning))
    // The killed parent could not remove its broker's folder.
    if let broker = line.split(separator: " ").last { removeBrokerFolder(String(broker)) }
  }

  @Test func theFirstSignalCallsTheHandlerAndTheSecondEndsTheProcess() throws {
    let folder = try TemporaryFolder(prefix: "martlet-role")
    for (number, status) in [(SIGINT, Int32(130)), (SIGTERM, 143)] {
      let path = "\(folder.path)/report"
      unlink(path)
      let process = try play("actsAsSignalled", folder.path)
      #expect(waitForLine(path, process) == "ready")
      unlink(path)
      process.signal(number)
      #expect(waitForLine(path, process) == "signal \(number)")
      process.signal(number)
      #expect(process.wait(timeout: .seconds(10)) == .exited(status))
    }
  }

  @Test(.enabled(if: getenv("MARTLET_ROLE_FOLDER") != nil))
  func actsAsParent() throws {
    let sleeper = try ChildProcess(.init(executable: "/bin/sleep", arguments: ["100"]))
    let broker = try EmbeddedBroker()
    report("\(sleeper.processID) \(broker.processID ?? 0) \(broker.folder)")
    while true { pause() }
  }

  @Test(.enabled(if: getenv("MARTLET_ROLE_FOLDER") != nil))
  func actsAsSignalled() throws {
    let signals = try TerminationSignals { report("signal \($0)") }
    defer { signals.stop() }
    report("ready")
    while true { pause() }
  }

  private func play(_ role: String, _ folder: String) throws -> ChildProcess {
    var environment: [String: String] = ["MARTLET_ROLE_FOLDER": folder]
    for name in ["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH"] {
      if let value = getenv(name) { environment[name] = String(cString: value) }
    }
    return try ChildProcess(
      .init(
        executable: System.executablePath(),
        arguments: ["--testing-library", "swift-testing", "--filter", role],
        environment: environment, standardOutput: .discarded, standardError: .discarded))
  }

  /// A line appears in one piece: it is written to another name and moved.
  private func waitForLine(_ path: String, _ process: ChildProcess) -> String? {
    let deadline = ContinuousClock.now + .seconds(20)
    while ContinuousClock.now < deadline {
      if let line = firstLine(path) { return line }
      if process.wait(timeout: .milliseconds(5)) != nil { return nil }
    }
    return nil
  }

  private func isRunning(_ process: Int32) -> Bool {
    // Where nobody collects orphans, an ended process remains as a zombie.
    guard let status = firstLine("/proc/\(process)/stat") else { return false }
    return !status.contains(") Z")
  }

  private func firstLine(_ path: String) -> String? {
    guard let stream = fopen(path, "r") else { return nil }
    defer { fclose(stream) }
    var buffer = [CChar](repeating: 0, count: 1000)
    guard fgets(&buffer, 1000, stream) != nil else { return nil }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private func removeBrokerFolder(_ path: String) {
    guard path.contains("martlet-broker-") else { return }
    _ = try? ChildProcess.output(
      of: .init(executable: "/bin/rm", arguments: ["-r", path]), timeout: .seconds(10))
  }
}

private func report(_ line: String) {
  guard let folder = getenv("MARTLET_ROLE_FOLDER").map({ String(cString: $0) }) else { return }
  guard let stream = fopen("\(folder)/writing", "w") else { return }
  fputs(line, stream)
  fclose(stream)
  rename("\(folder)/writing", "\(folder)/report")
}
