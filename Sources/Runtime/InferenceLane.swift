import Dispatch
import Engine
import Foundations
import Logging
import ModelCards
import Synchronization
import WireProtocol

/// Runs an `InferenceClient` on a thread of its own, for callers that must not wait for it.
///
/// A client that gives up, because no device answered, is replaced by a new one, after a pause that
/// grows while that does not help. A broker that is not there is waited for.
final class InferenceLane: Sendable {
  /// A frame to run.
  struct Job: Sendable {
    var key: RPCCallKey
    var input: FrameInput
    var deadline: MonotonicTime
  }

  /// Makes a client that is not yet connected.
  typealias MakeClient = @Sendable () throws(MartletError) -> InferenceClient
  /// Gets each job's end, on the lane's thread.
  typealias Deliver = @Sendable (RPCCallKey, Result<FrameResult, MartletError>) -> Void

  private struct State {
    var jobs: [Job] = []
    var isStopped = false
    var wake: (@Sendable () -> Void)?
    /// Ends the attempt to connect.
    var interrupt: (@Sendable () -> Void)?
    var isStarted = false
    var devicesAlive = 0
  }

  private let state = Mutex(State())
  private let done = DispatchSemaphore(value: 0)
  /// Signalled by `stop`.
  private let pause = DispatchSemaphore(value: 0)
  private let inFlight: Int
  private let deliver: Deliver
  private let logger: Logger

  /// - Parameter inFlight: frames under way at once.
  init(inFlight: Int, logger: Logger, deliver: @escaping Deliver) {
    self.inFlight = inFlight
    self.logger = logger
    self.deliver = deliver
  }

  /// Begins to work; returns at once.
  ///
  /// - Parameters:
  ///   - ready: called on the lane's thread when the first client is connected.
  ///   - failed: called there with what keeps the lane from ever working, such as missing rights.
  func start(
    _ make: @escaping MakeClient, ready: @escaping @Sendable () -> Void,
    failed: @escaping @Sendable (MartletError) -> Void
  ) {
    state.withLock { $0.isStarted = true }
    DispatchQueue(label: "martlet.inference").async { [self] in
      defer { done.signal() }
      do throws(MartletError) {
        var pauses = RetryPause()
        var client = try connect(make, isFirst: true, &pauses)
        ready()
        while true {
          let start = ContinuousClock.now
          guard let error = serve(client) else { break }
          logger.warning("\(error)")
          client.close()
          rest(&pauses, after: ContinuousClock.now - start)
          client = try connect(make, &pauses)
        }
        client.close()
      } catch {
        if !isStopped { failed(error) }
      }
    }
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
    let (wake, interrupt, isStarted) = state.withLock { state in
      state.isStopped = true
      return (state.wake, state.interrupt, state.isStarted)
    }
    guard isStarted else { return }
    wake?()
    interrupt?()
    pause.signal()
    done.wait()
    done.signal()
  }

  /// Waits before the next attempt, unless stopped.
  private func rest(_ pauses: inout RetryPause, after worked: Duration) {
    var generator = SystemRandomNumberGenerator()
    let pause = pauses.next(after: worked, using: &generator)
    _ = self.pause.wait(timeout: .now() + .nanoseconds(Int(pause.nanoseconds)))
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
        let origin = FrameOrigin(requestID: job.key.id)
        running[try client.submit(job.input, origin: origin, until: end)] = job.key
      } catch {
        deliver(job.key, .failure(error))
        // An input that does not fit says nothing about the client.
        guard error.code == .invalidShape else { throw error }
      }
    }
  }

  /// Makes a client and connects it, refusing jobs until that works.
  ///
  /// - Throws: what the first client throws, if waiting does not mend it; `cancelled` when stopped.
  private func connect(
    _ make: MakeClient, isFirst: Bool = false, _ pauses: inout RetryPause
  ) throws(MartletError) -> InferenceClient {
    while true {
      let client = try make()
      let (jobs, isStopped) = state.withLock { state in
        defer { state.jobs = [] }
        state.devicesAlive = 0
        state.interrupt = client.stopper
        return (state.jobs, state.isStopped)
      }
      if isStopped { throw MartletError(.cancelled, "stopped") }
      do throws(MartletError) {
        try client.connect()
        state.withLock { state in
          state.interrupt = nil
          state.jobs.insert(contentsOf: jobs, at: 0)
        }
        return client
      } catch {
        client.close()
        let mayPass = [.unreachable, .timedOut, .cancelled].contains(error.code)
        if isFirst && !mayPass { throw error }
        logger.warning("\(error)")
        for job in jobs { deliver(job.key, .failure(error)) }
        rest(&pauses, after: .zero)
      }
    }
  }
}

/// What a caller gets for an answer.
enum RequestOutcome {
  static func result(_ answer: Answer) -> Result<FrameResult, MartletError> {
    if let refusal = answer.refusal {
      return .failure(
        MartletError(
          .unreachable, "no answer is good enough now: \(refusal)",
          hint: "ask again when the devices are back"))
    }
    guard let result = answer.result else {
      return .failure(MartletError(.io, "the answer was not put into words"))
    }
    return .success(result)
  }
}
