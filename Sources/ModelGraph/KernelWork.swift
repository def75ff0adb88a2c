/// The kinds of loops in which nodes are computed, as far as they differ in speed.
package enum KernelKind: String, Sendable, Hashable, CaseIterable, Codable {
  /// Convolution as a product with an image that is laid out anew, window by window.
  case convolution
  /// Convolution as a product with the image itself.
  case pointwise
  /// Convolution of 3 by 3 in transformed tiles.
  case winograd
  /// Convolution of single planes.
  case depthwise
  /// A weight matrix times one vector: as fast as the weights come from memory.
  case dense
  /// Products of other matrices.
  case product
  /// Windows without weights.
  case pooling
  /// Functions that take many instructions for an element, such as exponentials.
  case function
  /// Statistics of elements, and what is made of them.
  case normalisation
  /// Runs of elements that change places.
  case movement
  /// Single elements that change places.
  case transposition
  /// Few instructions for each element.
  case elementwise
}

/// What a kernel has to do in one run, as far as its time follows from it.
package struct KernelWork: Sendable, Hashable {
  /// In which kind of loop.
  package var kind: KernelKind
  /// Multiply-adds; where nothing is multiplied, elements times what each looks at. Winograd counts
  /// the multiply-adds that a plain convolution would take.
  package var operations: Int
  /// Bytes that it reads and writes, its own intermediate results included.
  package var bytes: Int

  /// Describes work.
  package init(_ kind: KernelKind, operations: Int, bytes: Int) {
    self.kind = kind
    self.operations = operations
    self.bytes = bytes
  }
}
