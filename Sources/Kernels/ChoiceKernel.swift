import CKernels
import ModelGraph
import Tensors

/// One of two operands, element by element, with broadcasting. Axes along which all three operands
/// advance alike are merged.
struct ChoiceKernel: Kernel {
  /// Outermost first; the last one is a run.
  let extents: [Int]
  /// By axis, of the condition and the two operands; of the last one 0 or 1 each.
  let strides: [[Int]]

  init(_ inputs: [Shape], output: Shape) {
    let full = inputs.map { shape in
      let own = shape.strides
      return output.dimensions.indices.map { axis -> Int in
        let from = axis - (output.rank - shape.rank)
        return from < 0 || shape[from] == 1 ? 0 : own[from]
      }
    }
    var extents: [Int] = []
    var strides: [[Int]] = []
    for axis in output.dimensions.indices where output[axis] != 1 {
      let steps = full.map { $0[axis] }
      if let last = strides.last, zip(last, steps).allSatisfy({ $0 == $1 * output[axis] }) {
        extents[extents.count - 1] *= output[axis]
        strides[strides.count - 1] = steps
      } else {
        extents.append(output[axis])
        strides.append(steps)
      }
    }
    self.extents = extents.isEmpty ? [1] : extents
    self.strides = strides.isEmpty ? [[0, 0, 0]] : strides
  }

  func run(_ operands: Operands) {
    let run = extents[extents.count - 1]
    let steps = strides[strides.count - 1]
    let runs = extents.dropLast().reduce(1, *)
    // Short runs several at a time.
    let together = max(1, (1 << 12) / max(run, 1))
    operands.forEach((runs + together - 1) / together) { task, _ in
      for index in task * together..<min((task + 1) * together, runs) {
        let places = places(of: index)
        ck_choose(
          operands.input(0) + places.0, steps[0], operands.input(1) + places.1, steps[1],
          operands.input(2) + places.2, steps[2], operands.output + index * run, run)
      }
    }
  }

  /// Where a run of the result begins in each operand.
  private func places(of run: Int) -> (Int, Int, Int) {
    var rest = run
    var places = (0, 0, 0)
    for axis in stride(from: extents.count - 2, through: 0, by: -1) {
      let index = rest % extents[axis]
      rest /= extents[axis]
      places.0 += index * strides[axis][0]
      places.1 += index * strides[axis][1]
      places.2 += index * strides[axis][2]
    }
    return places
  }
}

extension Choice: KernelMaking {
  func makeKernel(_ site: KernelSite) -> any Kernel {
    ChoiceKernel(site.inputs, output: site.output)
  }
}
