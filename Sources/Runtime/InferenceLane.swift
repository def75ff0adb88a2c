import Dispatch
import Logging
import Synchronization
import TensorCore
import WireProtocol

/// Runs an `InferenceClient` on a thread of its own, for callers that must not wait for it.
///
/// A client that gives up, because no device answered, is replaced by a new one.
final class InferenceLane: Sendable {
  /// A frame to run.
  struct Job: Sendable {
    var key: RPCCallKey
    var input: Tensor
    var deadline: MonotonicTime
  }

  /// Makes a client that is connected.
  typealias MakeClient = @Sendable () throws(MartletError) -> InferenceClient
  /// Gets each job's end, on the lane's thread.
  typealias Deliver = @Sendable (RPCCallKey, Result<FrameResult, MartletError>) -> Void

  private struct State {
    var jobs: [Job] = []
    var isStopped = false
    var wake: (@Sendable () -> Void)?
    var devicesAlive = 0
  }

  private let state = Mutex(State())
  private let done = DispatchSemaphore(value: 0)
  private let inFlight: Int
  private let deliver: Deliver
  private let logger: Logger

  /// - Parameter inFlight: frames under way at once.
  init(inFlight: Int, logger: Logger, deliver: @escaping Deliver) {
    self.inFlight = inFlight
    self.logger = logger
    self.deliver = deliver
  }

  /// Begins to work.
  ///
  /// - Throws: what the first client throws.
  func start(_ make: @escaping MakeClient) throws(MartletError) {
    let ready = DispatchSemaphore(value: 0)
    let failure = Mutex<MartletError?>(nil)
    DispatchQueue(label: "martlet.inference").async { [self] in
      defer { done.signal() }
      do throws(MartletError) {
        var client = try make()
        ready.signal()
        while let error = serve(client) {
          logger.warning("\(error)")
          client.close()
          client = try again(make)
        }
        client.close()
      } catch {
        failure.withLock { $0 = error }
        ready.signal()
      }
    }
    ready.wait()
    if let error = failure.withLock({ $0 }) { throw error }
  }

  /// How many devices answer frames.
  var devicesAlive: Int { state.withLock { $0.devicesAlive } }

  /// Adds a job.
  func submit(_ job: Job) {
    let wake = state.withLock { state in
      state.jobs.append(job)
      return state.wake
    }
    wake?()
  }

  /// Ends the thread and waits for that; jobs that have not ended stay without an answer.
  func stop() {
    let wake = state.withLock { state in
      state.isStopped = true
      return state.wake
    }
    wake?()
    done.wait()
    done.signal()
  }

  private var isStopped: Bool { state.withLock { $0.isStopped } }

  /// Works until stopped or until the client fails, and tells that to everybody who waits for it.
  private func serve(_ client: InferenceClient) -> MartletError? {
    state.withLock { $0.wake = client.waker }
    var running: [Int: RPCCallKey] = [:]
    do throws(MartletError) {
      while !isStopped {
        try submitJobs(to: client, &running)
        let answer = try client.next(until: .now() + .milliseconds(500))
        let alive = client.devices.count(where: \.isAlive)
        state.withLock { $0.devicesAlive = alive }
        // Nobody answered some in time, and whoever asked knows.
        let late = running.keys.filter { !client.isWaiting(for: $0) && $0 != answer?.ticket }
        for ticket in late { running[ticket] = nil }
        guard let answer, let key = running.removeValue(forKey: answer.ticket) else { continue }
        deliver(key, RequestOutcome.result(answer))
      }
      return nil
    } catch {
      for key in running.values { deliver(key, .failure(error)) }
      return error
    }
  }

  private func submitJobs(
    to client: InferenceClient, _ running: inout [Int: RPCCallKey]
  ) throws(MartletError) {
    while running.count < inFlight,
      let job = state.withLock({ $0.jobs.isEmpty ? nil : $0.jobs.removeFirst() })
    {
      // Whoever asked has been told already.
      if job.deadline <= .now() { continue }
      // A device that was only silent is tried, as `InferenceClient` does.
      guard client.devices.contains(where: { $0.isAlive || $0.state == "suspect" }) else {
        deliver(
          job.key,
          .failure(
            MartletError(
              .unreachable, "no device is there",
              context: [
                "devices": client.devices.map { "\($0.device) \($0.state)" }.joined(
                  separator: ", ")
              ])))
        continue
      }
      do throws(MartletError) {
        // A tenth of the time is left for the way back.
        let now = MonotonicTime.now()
        let end = now.adding(nanoseconds: job.deadline.nanoseconds(since: now) / 10 * 9)
        running[try client.submit(job.input, until: end)] = job.key
      } catch {
        deliver(job.key, .failure(error))
        throw error
      }
    }
  }

  /// Makes a client after a failure, refusing jobs until that works.
  private func again(_ make: MakeClient) throws(MartletError) -> InferenceClient {
    while true {
      let jobs = state.withLock { state in
        defer { state.jobs = [] }
        state.devicesAlive = 0
        return state.jobs
      }
      if isStopped { throw MartletError(.cancelled, "stopped") }
      do throws(MartletError) {
        let client = try make()
        state.withLock { $0.jobs.insert(contentsOf: jobs, at: 0) }
        return client
      } catch {
        logger.warning("\(error)")
        for job in jobs { deliver(job.key, .failure(error)) }
      }
    }
  }
}

/// What a caller gets for an answer.
enum RequestOutcome {
  static func result(_ answer: Answer) -> Result<FrameResult, MartletError> {
    guard let result = answer.result else {
      return .failure(MartletError(.unsupported, "the model has no classes to name"))
    }
    return .success(result)
  }
}
