import CKernels
import ModelGraph
import Tensors

/// y = act(x w^T + b), x of `rows` rows.
struct DenseKernel: Kernel {
  let rows: Int
  let inputs: Int
  let outputs: Int
  let hasBias: Bool
  let activation: Activation?
  var weightType = ElementType.float32

  /// Rows of x, or of w for a single row of x, in one piece of work; more where w has to be widened for
  /// each.
  private static let rowBlock = 128
  private static let widenedRowBlock = 256
  private static let outputBlock = 256

  var scratchCount: Int {
    rows == 1 ? 0 : WeightMatrix.panelCount(weightType, rows: outputs, columns: inputs)
  }

  func run(_ operands: Operands) {
    guard outputs > 0 else { return }
    let (x, w, y) = (operands.input(0), operands.weights(columns: inputs), operands.output)
    let bias = hasBias ? operands.input(2) : nil
    let act = activation.c
    if rows == 1 {
      let block = Self.outputBlock
      operands.forEach((outputs + block - 1) / block) { task, _ in
        let start = task * block
        w.multiply(
          start..<min(start + block, outputs), x, bias: bias.map { $0 + start }, act,
          into: y + start)
      }
      return
    }
    let block = weightType == .float32 ? Self.rowBlock : Self.widenedRowBlock
    operands.forEach((rows + block - 1) / block) { task, scratch in
      let start = task * block
      let count = min(block, rows - start)
      let target = y + start * outputs
      var column = 0
      repeat {
        let columns = column..<min(column + w.columnsAtATime, inputs)
        w.forEachPanel(rows: 0..<outputs, columns: columns, scratch) { some, panel in
          multiply(
            m: count, n: some.count, k: columns.count,
            Matrix(base: x + start * inputs + column, stride: inputs), panel, transposedB: true,
            beta: column == 0 ? 0 : 1,
            into: Matrix(base: target + some.lowerBound, stride: outputs))
        }
        column = columns.upperBound
      } while column < inputs
      ck_bias_activate_columns(target, count, outputs, outputs, bias, act)
    }
  }
}

/// A product of two computed matrices, leading axes broadcast.
struct MatMulKernel: Kernel {
  let m: Int
  let n: Int
  let k: Int
  /// For each product, which matrix of a and of b it takes.
  let aIndices: [Int]
  let bIndices: [Int]

  init(_ a: Shape, _ b: Shape, output: Shape) {
    m = output[output.rank - 2]
    n = output[output.rank - 1]
    k = a[a.rank - 1]
    let batch = Shape(Array(output.dimensions.dropLast(2)))
    func indices(_ shape: Shape) -> [Int] {
      let own = Shape(Array(shape.dimensions.dropLast(2)))
      let strides = own.strides
      let full = batch.strides
      return (0..<batch.count).map { position in
        own.dimensions.indices.reduce(0) { sum, axis in
          let outer = axis + batch.rank - own.rank
          let coordinate = position / full[outer] % batch[outer]
          return sum + (own[axis] == 1 ? 0 : coordinate * strides[axis])
        }
      }
    }
    // Without elements there is nothing to index, and the batch may be anything.
    aIndices = output.count == 0 ? [] : indices(a)
    bIndices = output.count == 0 ? [] : indices(b)
  }

  func run(_ operands: Operands) {
    operands.forEach(aIndices.count) { index, _ in
      multiply(
        m: m, n: n, k: k, Matrix(base: operands.input(0) + aIndices[index] * m * k, stride: k),
        Matrix(base: operands.input(1) + bIndices[index] * k * n, stride: n),
        into: Matrix(base: operands.output + index * m * n, stride: n))
    }
  }
}

extension Dense: KernelMaking {
  func makeKernel(_ site: KernelSite) -> any Kernel {
    let weights = site.inputs[1]
    return DenseKernel(
      rows: site.output.count / weights[0], inputs: weights[1], outputs: weights[0],
      hasBias: site.inputs.count > 2, activation: activation,
      weightType: weights.count > 0 ? site.weightType : .float32)
  }
}

extension MatMul: KernelMaking {
  func makeKernel(_ site: KernelSite) -> any Kernel {
    MatMulKernel(site.inputs[0], site.inputs[1], output: site.output)
  }
}
