import Foundations
import Runtime
import TestSupport
import Testing

extension DistributedTests {
  @Suite(.serialized) struct SilenceTexts {
    /// Devices that are there and from which nothing comes, and that say nothing of what comes to them.
    @Test func aClientSaysWhatItHasSeenItself() throws {
      try Deployment.with(devices: 2) { deployment in
        try deployment.startAll(["--mute"])
        try deployment.withClient {
          $0.patience = .seconds(2)
          $0.frameLimit = .seconds(1)
        } _: { client in
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          let error = failure { _ = try client.answer(try deployment.digits[0]) }
          let hint = try #require(error?.hint)
          #expect(error?.code == .unreachable)
          #expect(hint.contains("no part came here in the last"), "\(hint)")
        }
      }
    }
  }
}
