import CKernels
import Kernels
import ModelGraph
import Tensors

/// y = act(x w^T + b): dw = dz^T x, dx = dz w.
struct DenseBackward: BackwardKernel {
  private let rows: Int
  private let inputs: Int
  private let outputs: Int
  private let activation: Activation?

  /// Rows of w, or columns of x, in one piece of work.
  private static let block = 256

  init(_ shapes: [Shape], _ output: Shape, _ activation: Activation?) {
    outputs = shapes[1][0]
    inputs = shapes[1][1]
    rows = outputs > 0 ? output.count / outputs : 0
    self.activation = activation
  }

  func run(_ operands: BackwardOperands) {
    guard rows > 0, outputs > 0 else { return }
    let dz = operands.cotangent
    if activation != nil {
      operands.forEachPiece(rows * outputs) {
        ck_activation_gradient_from_result(operands.output + $0, dz + $0, $1, activation.c)
      }
    }
    if operands.gradients.count > 2, let bias = operands.gradients[2] {
      for row in 0..<rows { ck_axpy(1, dz + row * outputs, bias, outputs) }
    }
    if let weights = operands.gradients[1] {
      operands.forEach((outputs + Self.block - 1) / Self.block) { task, _ in
        let start = task * Self.block
        multiply(
          m: min(Self.block, outputs - start), n: inputs, k: rows,
          Matrix(base: UnsafePointer(dz) + start, stride: outputs), transposedA: true,
          Matrix(base: operands.inputs[0], stride: inputs), beta: 1,
          into: Matrix(base: weights + start * inputs, stride: inputs))
      }
    }
    if let result = operands.gradients[0] {
      operands.forEach((inputs + Self.block - 1) / Self.block) { task, _ in
        let start = task * Self.block
        multiply(
          m: rows, n: min(Self.block, inputs - start), k: outputs,
          Matrix(base: UnsafePointer(dz), stride: outputs),
          Matrix(base: operands.inputs[1] + start, stride: inputs), beta: 1,
          into: Matrix(base: result + start, stride: inputs))
      }
    }
  }
}

/// y = a b with leading axes broadcast: da = dy b^T, db = a^T dy, added up where an operand was
/// broadcast.
struct MatMulBackward: BackwardKernel {
  private let m: Int
  private let n: Int
  private let k: Int
  private let walk: StridedWalk

  init(_ a: Shape, _ b: Shape, _ output: Shape) {
    m = output[output.rank - 2]
    n = output[output.rank - 1]
    k = a[a.rank - 1]
    let leading = Shape(Array(output.dimensions.dropLast(2)))
    func strides(_ shape: Shape) -> [Int] {
      Shape(Array(shape.dimensions.dropLast(2))).broadcastStrides(to: leading)
    }
    walk = StridedWalk(
      extents: leading.dimensions, strides(a), strides(b), leading.strides)
  }

  func run(_ operands: BackwardOperands) {
    // One product after the other: several may add to the same matrix.
    walk.forEachRun { a, b, y in
      for index in 0..<walk.count {
        let (a, b) = ((a + index * walk.steps.0) * m * k, (b + index * walk.steps.1) * k * n)
        let dy = Matrix(
          base: UnsafePointer(operands.cotangent) + (y + index * walk.steps.2) * m * n, stride: n)
        if let result = operands.gradients[0] {
          multiply(
            m: m, n: k, k: n, dy, Matrix(base: operands.inputs[1] + b, stride: n),
            transposedB: true, beta: 1, into: Matrix(base: result + a, stride: k))
        }
        if let result = operands.gradients[1] {
          multiply(
            m: k, n: n, k: m, Matrix(base: operands.inputs[0] + a, stride: k), transposedA: true,
            dy, beta: 1, into: Matrix(base: result + b, stride: n))
        }
      }
    }
  }
}
