package import CKernels
package import ModelGraph
import Tensors

extension Activation? {
  /// The C description.
  package var c: ck_activation {
    guard let code = self?.code else { return ck_activation(kind: Int32(CK_IDENTITY), a: 0, b: 0) }
    return ck_activation(kind: code.kind, a: code.a, b: code.b)
  }
}

extension UnaryFunction {
  /// The C code.
  package var c: Int32 {
    let code =
      switch self {
      case .negate: CK_NEGATE
      case .absolute: CK_ABSOLUTE
      case .exponential: CK_EXPONENTIAL
      case .logarithm: CK_LOGARITHM
      case .squareRoot: CK_SQUARE_ROOT
      case .reciprocal: CK_RECIPROCAL
      case .errorFunction: CK_ERROR_FUNCTION
      case .floor: CK_FLOOR
      case .ceiling: CK_CEILING
      }
    return Int32(code)
  }
}

extension BinaryFunction {
  /// The C code.
  package var c: Int32 {
    let code =
      switch self {
      case .add: CK_ADD
      case .subtract: CK_SUBTRACT
      case .multiply: CK_MULTIPLY
      case .divide: CK_DIVIDE
      case .power: CK_POWER
      case .maximum: CK_MAXIMUM
      case .minimum: CK_MINIMUM
      case .equal: CK_EQUAL
      case .less: CK_LESS
      case .lessOrEqual: CK_LESS_OR_EQUAL
      case .greater: CK_GREATER
      case .greaterOrEqual: CK_GREATER_OR_EQUAL
      }
    return Int32(code)
  }
}

/// Pieces of a long element-wise loop, large enough that splitting costs nothing.
private let pieceCount = 1 << 15

private func forEachPiece(
  _ operands: Operands, _ count: Int, _ body: (_ start: Int, _ count: Int) -> Void
) {
  operands.forEach((count + pieceCount - 1) / pieceCount) { piece, _ in
    body(piece * pieceCount, min(pieceCount, count - piece * pieceCount))
  }
}

struct ActivationKernel: Kernel {
  let count: Int
  let activation: Activation

  func run(_ operands: Operands) {
    let act = Optional(activation).c
    let x = operands.input(0)
    forEachPiece(operands, count) { ck_activate(x + $0, operands.output + $0, $1, act) }
  }
}

struct UnaryKernel: Kernel {
  let count: Int
  let function: Int32

  init(count: Int, function: UnaryFunction) {
    self.count = count
    self.function = function.c
  }

  func run(_ operands: Operands) {
    let x = operands.input(0)
    forEachPiece(operands, count) { ck_unary(x + $0, operands.output + $0, $1, function) }
  }
}

/// Binary functions with broadcasting. Axes along which both operands advance alike are merged, so
/// equal shapes, scalars and per-channel operands all end in one long inner loop.
struct BinaryKernel: Kernel {
  let function: Int32
  let extents: [Int]
  let aStrides: [Int]
  let bStrides: [Int]

  init(_ a: Shape, _ b: Shape, output: Shape, function: BinaryFunction) {
    self.function = function.c
    func strides(_ shape: Shape) -> [Int] {
      let own = shape.strides
      return output.dimensions.indices.map {
        let axis = $0 - (output.rank - shape.rank)
        return axis < 0 || shape[axis] == 1 ? 0 : own[axis]
      }
    }
    let (aFull, bFull) = (strides(a), strides(b))
    var extents: [Int] = []
    var aStrides: [Int] = []
    var bStrides: [Int] = []
    for axis in output.dimensions.indices where output[axis] != 1 {
      if let last = extents.indices.last, aStrides[last] == aFull[axis] * output[axis],
        bStrides[last] == bFull[axis] * output[axis]
      {
        extents[last] *= output[axis]
        aStrides[last] = aFull[axis]
        bStrides[last] = bFull[axis]
      } else {
        extents.append(output[axis])
        aStrides.append(aFull[axis])
        bStrides.append(bFull[axis])
      }
    }
    self.extents = extents.isEmpty ? [1] : extents
    self.aStrides = aStrides.isEmpty ? [0] : aStrides
    self.bStrides = bStrides.isEmpty ? [0] : bStrides
  }

  func run(_ operands: Operands) {
    if extents.contains(0) { return }
    let (a, b, y) = (operands.input(0), operands.input(1), operands.output)
    if extents.count == 1 {
      forEachPiece(operands, extents[0]) {
        ck_binary(
          a + $0 * aStrides[0], aStrides[0], b + $0 * bStrides[0], bStrides[0], y + $0, $1,
          function)
      }
    } else {
      let inner = extents[1...].reduce(1, *)
      operands.forEach(extents[0]) { index, _ in
        apply(axis: 1, a + index * aStrides[0], b + index * bStrides[0], y + index * inner)
      }
    }
  }

  /// The strides of the innermost axis are 0 or 1: it is the last one of row-major operands.
  private func apply(
    axis: Int, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
    _ y: UnsafeMutablePointer<Float>
  ) {
    if axis == extents.count - 1 {
      ck_binary(a, aStrides[axis], b, bStrides[axis], y, extents[axis], function)
      return
    }
    let inner = extents[(axis + 1)...].reduce(1, *)
    for index in 0..<extents[axis] {
      apply(
        axis: axis + 1, a + index * aStrides[axis], b + index * bStrides[axis], y + index * inner)
    }
  }
}

struct ChannelAffineKernel: Kernel {
  let planes: Int
  let channels: Int
  let planeSize: Int

  func run(_ operands: Operands) {
    let (x, scale, shift) = (operands.input(0), operands.input(1), operands.input(2))
    operands.forEach(planes) { plane, _ in
      let channel = plane % channels
      ck_affine(
        x + plane * planeSize, scale[channel], shift[channel],
        operands.output + plane * planeSize, planeSize)
    }
  }
}

extension Activating: KernelMaking {
  func makeKernel(_ site: KernelSite) -> any Kernel {
    ActivationKernel(count: site.output.count, activation: activation)
  }
}

extension Unary: KernelMaking {
  func makeKernel(_ site: KernelSite) -> any Kernel {
    UnaryKernel(count: site.output.count, function: function)
  }
}

extension Binary: KernelMaking {
  func makeKernel(_ site: KernelSite) -> any Kernel {
    BinaryKernel(site.inputs[0], site.inputs[1], output: site.output, function: function)
  }
}

extension ChannelAffine: KernelMaking {
  func makeKernel(_ site: KernelSite) -> any Kernel {
    let output = site.output
    return ChannelAffineKernel(
      planes: output[0] * output[1], channels: output[1], planeSize: output.innerCount(after: 1))
  }
}
