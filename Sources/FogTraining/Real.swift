import COpenBLAS
import Glibc
import Kernels
package import Tensors

/// The two precisions that networks are trained in.
package protocol Real: BinaryFloatingPoint, Sendable, BitwiseCopyable {
  /// c (m, n) = a (m, k) b (k, n) + beta c, row-major and dense; transposed operands are stored as
  /// (k, m) and (n, k).
  static func multiply(
    m: Int, n: Int, k: Int, _ a: UnsafePointer<Self>, transposedA: Bool,
    _ b: UnsafePointer<Self>, transposedB: Bool, beta: Self, into c: UnsafeMutablePointer<Self>)
  static func exponential(_ x: Self) -> Self
  static func logarithm(_ x: Self) -> Self
  /// Exactly these values, to be written to a file.
  static func tensor(_ shape: Shape, _ values: [Self]) -> Tensor
  /// The values of `tensor`; nil for another type.
  static func values(_ tensor: Tensor) -> [Self]?
}

extension Float: Real {
  package static func multiply(
    m: Int, n: Int, k: Int, _ a: UnsafePointer<Float>, transposedA: Bool,
    _ b: UnsafePointer<Float>, transposedB: Bool, beta: Float, into c: UnsafeMutablePointer<Float>
  ) {
    ProductMemory.withBuffer {
      cblas_sgemm(
        CblasRowMajor, transposedA ? CblasTrans : CblasNoTrans,
        transposedB ? CblasTrans : CblasNoTrans, blasint(m), blasint(n), blasint(k), 1,
        a, blasint(max(transposedA ? m : k, 1)), b, blasint(max(transposedB ? k : n, 1)), beta,
        c, blasint(max(n, 1)))
    }
  }

  package static func exponential(_ x: Float) -> Float { expf(x) }
  package static func logarithm(_ x: Float) -> Float { logf(x) }
  package static func tensor(_ shape: Shape, _ values: [Float]) -> Tensor { Tensor(shape, values) }
  package static func values(_ tensor: Tensor) -> [Float]? { tensor.floats }
}

extension Double: Real {
  package static func multiply(
    m: Int, n: Int, k: Int, _ a: UnsafePointer<Double>, transposedA: Bool,
    _ b: UnsafePointer<Double>, transposedB: Bool, beta: Double,
    into c: UnsafeMutablePointer<Double>
  ) {
    ProductMemory.withBuffer {
      cblas_dgemm(
        CblasRowMajor, transposedA ? CblasTrans : CblasNoTrans,
        transposedB ? CblasTrans : CblasNoTrans, blasint(m), blasint(n), blasint(k), 1,
        a, blasint(max(transposedA ? m : k, 1)), b, blasint(max(transposedB ? k : n, 1)), beta,
        c, blasint(max(n, 1)))
    }
  }

  package static func exponential(_ x: Double) -> Double { exp(x) }
  package static func logarithm(_ x: Double) -> Double { log(x) }
  /// Files hold no float64: the bits travel as int64.
  package static func tensor(_ shape: Shape, _ values: [Double]) -> Tensor {
    Tensor(shape, values.map { Int64(bitPattern: $0.bitPattern) })
  }
  package static func values(_ tensor: Tensor) -> [Double]? {
    tensor.integers.map { $0.map { Double(bitPattern: UInt64(bitPattern: $0)) } }
  }
}
