import CProcess

/// What the C library's allocator keeps of the memory that this process has freed.
///
/// As it is set usually, it may keep a heap for each thread, and after the first large block that is freed
/// takes blocks up to that size from the heap, where a small one that is still in use keeps all below
/// it: a worker then holds some ten megabytes that nobody uses.
package enum ProcessHeap {
  /// Makes it keep little from now on. For a process that is a worker and nothing else: all of the
  /// process is concerned.
  ///
  /// - Returns: whether the C library can.
  @discardableResult package static func keepSmall() -> Bool { cprocess_keep_heap_small() == 1 }

  /// Gives free pages back to the system, which takes about a millisecond.
  ///
  /// - Returns: whether there were any.
  @discardableResult package static func trim() -> Bool { cprocess_trim_heap() == 1 }
}
