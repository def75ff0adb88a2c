import Foundations
import Glibc
import Processes
import TestSupport
import Testing

@Suite(.serialized) struct EmbeddedBrokerTests {
  @Test func startsRestartsAndLeavesNothing() throws {
    let broker = try EmbeddedBroker()
    let folder = broker.folder
    let first = try #require(broker.processID)
    #expect(broker.log.contains("mosquitto version"))
    broker.crash()
    #expect(broker.processID == nil)
    try broker.restart()
    let second = try #require(broker.processID)
    #expect(first != second)
    broker.stop()
    broker.stop()
    #expect(access(folder, F_OK) != 0)
    #expect(kill(second, 0) != 0)
  }

  @Test func theScopeStopsItWhenTheBodyThrows() {
    var process: Int32?
    do {
      try withEmbeddedBroker { broker in
        process = broker.processID
        throw MartletError(.io, "on purpose")
      }
    } catch {}
    #expect(process != nil && kill(process ?? 1, 0) != 0)
  }

  @Test func aMistakeInTheConfigurationIsQuoted() {
    do {
      _ = try EmbeddedBroker(extraConfiguration: "no_such_setting true")
      Issue.record("no error")
    } catch {
      #expect(error.code == .io)
      #expect(error.description.contains("no_such_setting"))
    }
  }

  @Test func doesNotRunAsRoot() throws {
    let broker = try EmbeddedBroker()
    defer { broker.stop() }
    var status = stat()
    #expect(stat("/proc/\(try #require(broker.processID))", &status) == 0)
    #expect(status.st_uid != 0)
    #expect(stat(broker.folder, &status) == 0 && status.st_mode & 0o077 == 0)
  }

  /// The program carries a copy of the file, so that it runs from anywhere.
  @Test func theBuiltInConfigurationIsTheFile() throws {
    let path = checkout + "/broker-config/embedded.conf"
    let text = try ChildProcess.output(
      of: .init(executable: "/bin/cat", arguments: [path]), timeout: .seconds(10))
    #expect(EmbeddedBroker.configurationTemplate == text)
  }
}
