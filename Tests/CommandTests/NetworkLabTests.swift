import Processes
import TensorFiles
import TestSupport
import Testing

/// `tools/bench/network` is Python; so are its tests. Those with namespaces and links pass themselves
/// over where these cannot be made.
@Suite struct NetworkLabTests {
  private static let python = "/usr/bin/python3"

  @Test(.enabled(if: FileSystem.exists(python), "needs python3")) func theLabMeasuresAndTidiesUp()
    throws
  {
    try TemporaryFolder.with(prefix: "martlet-lab") { folder in
      let child = try ChildProcess(
        .init(
          executable: Self.python, arguments: [checkout + "/tools/bench/test_network.py"],
          standardOutput: .discarded, standardError: .file(folder + "/python.err")))
      let status = child.wait(timeout: .seconds(240))
      if status == nil { child.stop(patience: .seconds(10)) }
      let report = try FileSystem.readText(folder + "/python.err")
      #expect(status == .exited(0), "\(report)")
    }
  }
}
