import Kernels

/// How this process computes: for models that run whole and for workers alike.
public enum Compute {
  /// How many threads one run of a model or of a device's part may use, 1 to 256; 1 unless set. Results
  /// do not depend on it. Runs that have begun go on as they were.
  public static var threads: Int {
    get { ComputeThreads.count }
    set { ComputeThreads.set(newValue) }
  }

  /// What is wrong with the kernels that the library of matrix products (OpenBLAS) has chosen for this
  /// processor, and which environment variable helps; nil when all is well. It chooses as the process
  /// starts, so only a new start with another environment helps.
  public static var warning: String? { OpenBLASCore.inUse.warning }
}
