import ModelGraph
import Plan

/// Writes the profile of a board that computes 100 million operations a second, as `martlet bench device`
/// would.
func writeBoardProfile(to path: String) throws {
  try DeviceProfile(
    machine: .init(processor: "board", kernels: "any"), threads: 1, share: 1, kernelOverhead: 1e-6,
    rates: KernelKind.allCases.map { .init($0, operations: 1e8, bytes: 1e9) }, messages: nil
  ).write(to: path)
}
