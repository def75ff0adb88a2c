import CKernels
import Kernels
import ModelGraph
import Tensors

struct ActivationBackward: BackwardKernel {
  let count: Int
  let activation: Activation

  func run(_ operands: BackwardOperands) {
    guard let result = operands.gradients[0] else { return }
    operands.forEachPiece(count) {
      ck_activation_gradient(
        operands.inputs[0] + $0, operands.cotangent + $0, result + $0, $1,
        Optional(activation).c)
    }
  }
}

struct UnaryBackward: BackwardKernel {
  let count: Int
  let function: Int32

  func run(_ operands: BackwardOperands) {
    guard let result = operands.gradients[0] else { return }
    operands.forEachPiece(count) {
      ck_unary_gradient(
        operands.inputs[0] + $0, operands.output + $0, operands.cotangent + $0, result + $0, $1,
        function)
    }
  }
}

/// A function of two operands; the gradient of one that was broadcast is added up.
struct BinaryBackward: BackwardKernel {
  private let function: Int32
  private let walk: StridedWalk

  init(_ a: Shape, _ b: Shape, _ output: Shape, _ function: BinaryFunction) {
    self.function = function.c
    walk = StridedWalk(
      extents: output.dimensions, a.broadcastStrides(to: output), b.broadcastStrides(to: output),
      output.strides)
  }

  func run(_ operands: BackwardOperands) {
    let (aStep, bStep, _) = walk.steps
    for (position, result) in operands.gradients.enumerated() {
      guard let result else { continue }
      let second: Int32 = position == 1 ? 1 : 0
      walk.forEachRun { a, b, y in
        ck_binary_gradient(
          operands.inputs[0] + a, aStep, operands.inputs[1] + b, bStep, operands.cotangent + y,
          result + (position == 1 ? b : a), position == 1 ? bStep : aStep, walk.count, function,
          second)
      }
    }
  }
}

struct ChannelAffineBackward: BackwardKernel {
  let batch: Int
  let channels: Int
  let planeSize: Int

  func run(_ operands: BackwardOperands) {
    operands.forEach(channels) { channel, _ in
      for image in 0..<batch {
        let plane = (image * channels + channel) * planeSize
        let dy = operands.cotangent + plane
        if let result = operands.gradients[0] {
          ck_axpy(operands.inputs[1][channel], dy, result + plane, planeSize)
        }
        if let scale = operands.gradients[1] {
          scale[channel] += ck_dot(operands.inputs[0] + plane, dy, planeSize)
        }
        if let shift = operands.gradients[2] {
          shift[channel] += ck_reduce(dy, planeSize, Int32(CK_SUM))
        }
      }
    }
  }
}
