import COpenBLAS

/// A row-major matrix in memory: rows are `stride` floats apart.
package struct Matrix<Pointer> {
  package let base: Pointer
  package let stride: Int

  package init(base: Pointer, stride: Int) {
    self.base = base
    self.stride = stride
  }
}

/// c (m, n) = a (m, k) b (k, n) + beta c; with `transposedA`, a is (k, m), with `transposedB`, b is
/// (n, k). `ComputeThreads.prepare` was called before.
package func multiply(
  m: Int, n: Int, k: Int, _ a: Matrix<UnsafePointer<Float>>, transposedA: Bool = false,
  _ b: Matrix<UnsafePointer<Float>>, transposedB: Bool = false, beta: Float = 0,
  into c: Matrix<UnsafeMutablePointer<Float>>
) {
  guard m > 0, n > 0 else { return }
  guard k > 0 else {
    if beta == 0 { for row in 0..<m { (c.base + row * c.stride).update(repeating: 0, count: n) } }
    return
  }
  // Leading dimensions must be at least 1 and at least the row length, even for one row.
  ProductMemory.withBuffer {
    cblas_sgemm(
      CblasRowMajor, transposedA ? CblasTrans : CblasNoTrans,
      transposedB ? CblasTrans : CblasNoTrans, blasint(m), blasint(n), blasint(k), 1, a.base,
      blasint(max(a.stride, 1)), b.base, blasint(max(b.stride, 1)), beta,
      c.base, blasint(max(c.stride, 1)))
  }
}
