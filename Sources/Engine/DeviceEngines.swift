package import Foundations
import Kernels
package import Plan
import Synchronization
package import Tensors

/// The programs of one device (or of a client), one for each attendance that has come up, over one
/// copy of its weights.
///
/// The program of usual frames is compiled at once, others when they are first needed, which takes
/// milliseconds: only addresses and the memory plan are new.
package final class DeviceEngines: Sendable {
  /// Attendances whose programs are kept; beyond that the one not used for longest is compiled anew
  /// when it comes up again. A device's program takes about a megabyte; a client's is small, and one
  /// that sends each frame to another device needs as many as there are devices.
  private var maximumKept: Int { device == nil ? 16 : 4 }

  private struct State {
    /// The most recently used one last.
    var engines: [(attendance: Attendance, engine: DeviceEngine)] = []
  }

  /// The plan.
  package let plan: Plan
  /// The device's number; nil for a client.
  package let device: Int?
  private let constants: [ConstantSlice: SharedConstant]
  private let rowFill: Plan.RowFill
  private let state = Mutex(State())

  /// - Parameters:
  ///   - device: nil for the client.
  ///   - constants: the elements of every entry in the device's `ShardInventory`.
  ///   - rowFill: what stands in for lost rows.
  /// - Throws: `mismatch` when constants are missing, and what `Program` throws.
  package init(
    plan: Plan, device: Int?, constants: [ConstantSlice: StoredTensor],
    rowFill: Plan.RowFill = .standard
  ) throws(MartletError) {
    self.plan = plan
    self.rowFill = rowFill
    self.device = device
    self.constants = constants.mapValues { SharedConstant($0) }
    _ = try engine(for: plan.usualAttendance(of: device))
  }

  /// Takes constants of float32.
  ///
  /// - Throws: like the other `init`.
  package convenience init(
    plan: Plan, device: Int?, constants: [ConstantSlice: Tensor],
    rowFill: Plan.RowFill = .standard
  ) throws(MartletError) {
    try self.init(
      plan: plan, device: device, constants: constants.mapValues { StoredTensor($0) },
      rowFill: rowFill)
  }

  /// Loads a device's shard.
  ///
  /// - Throws: what `PlanFolder.constants` and `Program` throw.
  package convenience init(folder: PlanFolder, device: Int?) throws(MartletError) {
    try self.init(
      plan: folder.plan, device: device, constants: try folder.constants(device: device))
  }

  /// Bytes of the device's weights as given, replicas and parity included.
  package var weightBytes: Int {
    constants.values.reduce(0) { $0 + StoredTensor.bytes($1.shape, $1.elementType) }
  }

  /// How many programs are kept now.
  package var programs: Int { state.withLock { $0.engines.count } }

  /// The program for an attendance.
  ///
  /// - Throws: `mismatch` when the shard lacks what the program needs, `resourceExhausted` when memory
  ///   runs out, and what else `Program` throws.
  package func engine(for attendance: Attendance) throws(MartletError) -> DeviceEngine {
    let key = plan.normalised(attendance)
    let known = state.withLock { state -> DeviceEngine? in
      guard let index = state.engines.lastIndex(where: { $0.attendance == key }) else {
        return nil
      }
      let entry = state.engines.remove(at: index)
      state.engines.append(entry)
      return entry.engine
    }
    if let known { return known }
    let engine = try DeviceEngine(
      plan: plan, device: device, attendance: key,
      program: plan.program(device: device, attendance: key),
      constants: constants, rowFill: rowFill)
    state.withLock { state in
      if state.engines.count >= maximumKept { state.engines.removeFirst() }
      state.engines.append((key, engine))
    }
    return engine
  }
}
