import Foundations
import Glibc
import Processes
import Testing

@Suite struct ProcessTests {
  private func shell(_ script: String) -> ChildProcess.Configuration {
    .init(executable: "/bin/sh", arguments: ["-c", script])
  }

  @Test func passesArgumentsEnvironmentAndFolder() throws {
    var configuration = shell(#"printf '%s|%s|%s' "$1" "$COLOUR" "$(pwd)""#)
    configuration.arguments += ["name", "a b\"c"]
    configuration.environment = ["COLOUR": "green"]
    configuration.folder = "/"
    #expect(try ChildProcess.output(of: configuration, timeout: .seconds(10)) == "a b\"c|green|/")
  }

  @Test func reportsHowAProcessEnded() throws {
    let child = try ChildProcess(shell("exit 7"))
    #expect(child.wait(timeout: .seconds(10)) == .exited(7))
    let sleeper = try ChildProcess(.init(executable: "/bin/sleep", arguments: ["100"]))
    #expect(sleeper.exitStatus == nil)
    #expect(sleeper.wait(timeout: .milliseconds(20)) == nil)
    sleeper.signal(SIGKILL)
    #expect(sleeper.wait(timeout: .seconds(10)) == .signalled(SIGKILL))
    #expect(ExitStatus.signalled(SIGKILL).description == "killed by signal 9 (Killed)")
    // Once it is known to have ended, its id may be another's: nothing is sent.
    sleeper.signal(SIGKILL)
  }

  @Test func stopKillsWhatIgnoresSIGTERM() throws {
    let file = try TemporaryFolder()
    var configuration = shell("trap '' TERM; echo ready; while :; do sleep 0.05; done")
    configuration.standardOutput = .file("\(file.path)/out")
    let child = try ChildProcess(configuration)
    while access("\(file.path)/out", F_OK) != 0 || size("\(file.path)/out") == 0 {
      try #require(child.wait(timeout: .milliseconds(5)) == nil)
    }
    #expect(child.stop(patience: .milliseconds(100)) == .signalled(SIGKILL))
  }

  @Test func errorsNameTheProgram() {
    for (program, code) in [
      ("/nonexistent/program", MartletError.Code.notFound), ("/etc/passwd", .permissionDenied),
    ] {
      #expect(throws: MartletError.self) { try ChildProcess(.init(executable: program)) }
      do {
        _ = try ChildProcess(.init(executable: program))
      } catch {
        #expect(error.code == code)
        #expect(error.description.contains(program))
      }
    }
  }

  @Test func outputCarriesStandardErrorOfAFailure() throws {
    do {
      _ = try ChildProcess.output(of: shell("echo because >&2; exit 3"), timeout: .seconds(10))
      Issue.record("no error")
    } catch {
      #expect(error.description.contains("because") && error.description.contains("status 3"))
    }
    do {
      _ = try ChildProcess.output(of: shell("exec sleep 100"), timeout: .milliseconds(50))
      Issue.record("no error")
    } catch {
      #expect(error.code == .timedOut)
    }
  }

  /// Descriptors that a library opened without O_CLOEXEC stay here.
  @Test func descriptorsDoNotLeak() throws {
    let leaky = open("/dev/null", O_RDONLY)
    defer { close(leaky) }
    let listing = try ChildProcess.output(
      of: .init(executable: "/bin/ls", arguments: ["/proc/self/fd"]), timeout: .seconds(10))
    // 3 is the folder that ls itself reads.
    #expect(listing.split(separator: "\n").allSatisfy { (Int($0) ?? 99) <= 3 })
  }

  /// A child outlives the thread that asked for it, and dies with its parent, SIGKILL included.
  @Test func childrenOutliveThreadsButNotTheirParent() throws {
    let folder = try TemporaryFolder()
    let holder = ThreadResult()
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<ThreadResult>.fromOpaque(context).takeRetainedValue().child =
          try? ChildProcess(.init(executable: "/bin/sleep", arguments: ["100"]))
        return nil
      }, Unmanaged.passRetained(holder).toOpaque())
    pthread_join(thread, nil)
    let child = try #require(holder.child)
    #expect(child.wait(timeout: .milliseconds(100)) == nil)
    #expect(child.stop(patience: .seconds(5)) == .signalled(SIGTERM))
    _ = folder
  }

  @Test func readsMemoryAndProcessorTime() throws {
    let own = try ProcessReading()
    #expect(own.residentBytes > 1_000_000 && own.peakResidentBytes >= own.residentBytes)
    let child = try ChildProcess(
      .init(executable: "/bin/sh", arguments: ["-c", "while :; do :; done"]))
    defer { child.stop(patience: .zero) }
    while try ProcessReading(of: child.processID).cpuSeconds < 0.02 {
      try #require(child.wait(timeout: .milliseconds(10)) == nil)
    }
    #expect(throws: MartletError.self) { try ProcessReading(of: 999_999_999) }
  }

  @Test func findsItselfAndPrograms() throws {
    #expect(try System.executablePath().hasPrefix("/"))
    #expect(System.findExecutable("sh") != nil)
    #expect(System.findExecutable("no-such-program-here") == nil)
    #expect(try System.freeLoopbackPort() > 1023)
  }

  @Test func temporaryFoldersArePrivateAndVanish() throws {
    let path = try TemporaryFolder.with { path in
      var status = stat()
      #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o700)
      mkdir("\(path)/inner", 0o700)
      symlink("/etc", "\(path)/inner/link")
      return path
    }
    #expect(access(path, F_OK) != 0)
    #expect(access("/etc/passwd", F_OK) == 0)
  }

  private func size(_ path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : 0
  }
}

/// Carries a child out of a thread. `@unchecked Sendable`: read only after the thread was joined.
private final class ThreadResult: @unchecked Sendable {
  var child: ChildProcess?
}
