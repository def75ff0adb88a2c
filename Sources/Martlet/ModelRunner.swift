import Foundations
import Kernels
import ModelGraph
import Synchronization
import Tensors

/// Runs a whole model. Compiled for the first run, because those who only plan need no program.
final class ModelRunner: Sendable {
  /// Working memory that nobody uses now.
  ///
  /// `@unchecked Sendable`: an execution may be used by one thread at a time. Each is either in
  /// `State.idle`, where it is only touched with the mutex held, or a local variable of exactly one
  /// call of `run`, which took it out and, when it is done, puts it back.
  private struct Idle: @unchecked Sendable {
    let execution: Execution
  }

  private struct State {
    var program: Program?
    var idle: [Idle] = []
  }

  private let graph: Graph
  private let state = Mutex(State())

  init(_ graph: Graph) { self.graph = graph }

  func run(_ inputs: [Tensors.Tensor]) throws(Foundations.MartletError) -> [Tensors.Tensor] {
    let taken = try take()
    defer { state.withLock { $0.idle.append(taken) } }
    return try taken.execution.run(inputs: inputs)
  }

  private func take() throws(Foundations.MartletError) -> Idle {
    let (idle, program) = try state.withLock { state throws(Foundations.MartletError) in
      if let idle = state.idle.popLast() { return (Idle?.some(idle), state.program) }
      let program = if let known = state.program { known } else { try Program(graph) }
      state.program = program
      return (nil, program)
    }
    if let idle { return idle }
    guard let program else { preconditionFailure("an execution has a program") }
    return Idle(execution: try Execution(program))
  }
}
