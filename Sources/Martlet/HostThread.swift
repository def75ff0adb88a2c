import Foundations
import Runtime
import ServiceLifecycle

/// Runs a worker or a gateway, which blocks, on a thread of its own, and ends it as services are ended.
enum HostThread {
  /// - Parameter make: prepares the run, on the thread.
  static func run<Run: EpochBound & SendableMetatype>(
    _ make: @escaping @Sendable () throws(Foundations.MartletError) -> Host<Run>
  ) async throws(MartletError) {
    let stop = StopSwitch()
    let result: Result<Void, MartletError> = await withGracefulShutdownHandler {
      do throws(MartletError) {
        // A task that is cancelled ends as gracefully as one that is asked to.
        try await DedicatedThread.run(onCancel: { stop.pull() }) {
          () throws(Foundations.MartletError) in
          let host = try make()
          stop.arm(host.stopper)
          try host.run()
        }
        return .success(())
      } catch {
        return .failure(error)
      }
    } onGracefulShutdown: {
      stop.pull()
    }
    try result.get()
  }
}
