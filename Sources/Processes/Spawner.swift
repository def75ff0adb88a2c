import CProcess
import Foundations
import Glibc
import Synchronization

/// The one thread from which all children are started.
///
/// The kernel kills a child when the *thread* that started it ends, not the process, so children
/// started from a pool thread would die whenever the pool shrinks. This thread never ends.
///
/// Requests are handed over one at a time under a lock; the caller waits for the answer.
enum Spawner {
  struct Outcome {
    var code: Int32
    var stage: Int32
    var child: pid_t
  }

  /// One request. `@unchecked Sendable`: the pointer is only used by the spawning thread while the
  /// caller is blocked waiting for `done`, and `outcome` only by whoever that hand-over allows.
  private final class Request: @unchecked Sendable {
    let options: UnsafePointer<cprocess_options>
    var outcome = Outcome(code: 0, stage: 0, child: 0)
    let done = Semaphore()
    init(_ options: UnsafePointer<cprocess_options>) { self.options = options }
  }

  private static let queue = Mutex<[Request]>([])
  private static let available = Semaphore()

  /// Started at first use.
  private static let thread: Bool = {
    var thread = pthread_t()
    let code = pthread_create(
      &thread, nil,
      { _ in
        while true {
          Spawner.available.wait()
          guard let request = Spawner.queue.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) else {
            continue
          }
          var child: pid_t = 0
          var stage: Int32 = 0
          let code = cprocess_spawn(request.options, &child, &stage)
          request.outcome = Outcome(code: code, stage: stage, child: child)
          request.done.signal()
        }
      }, nil)
    if code == 0 { pthread_detach(thread) }
    return code == 0
  }()

  static func spawn(_ options: UnsafePointer<cprocess_options>) -> Outcome {
    guard thread else { return Outcome(code: EAGAIN, stage: 1, child: 0) }
    let request = Request(options)
    queue.withLock { $0.append(request) }
    available.signal()
    request.done.wait()
    return request.outcome
  }
}

/// A POSIX semaphore at a fixed address.
///
/// `@unchecked Sendable`: the pointer never changes and `sem_*` are made for concurrent use.
private final class Semaphore: @unchecked Sendable {
  private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

  init() { sem_init(semaphore, 0, 0) }

  deinit {
    sem_destroy(semaphore)
    semaphore.deallocate()
  }

  func signal() { sem_post(semaphore) }
  func wait() { while sem_wait(semaphore) != 0 {} }
}
