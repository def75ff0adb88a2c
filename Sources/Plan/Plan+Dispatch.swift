extension Attendance {
  /// One device alone.
  package static func only(_ device: Int, of devices: Int) -> Attendance {
    Attendance(alive: (0..<devices).map { $0 == device })
  }
}

extension Plan {
  /// Whether each frame goes to one device, which answers alone: one block has the whole model, and every
  /// device holds it.
  package var dispatchesFrames: Bool {
    sharding.layers.count == 1 && sharding.layers[0].block != nil
      && placements[0].holders[0].count == devices.count
  }

  /// The attendance of the frames that a device (nil: the client) sees while all are there: everybody, or
  /// that device alone where frames are dispatched.
  package func usualAttendance(of device: Int?) -> Attendance {
    dispatchesFrames ? .only(device ?? 0, of: devices.count) : .everyone(devices.count)
  }

  /// Of an attendance in which several devices could answer alone, the one that does.
  func dispatched(_ attendance: Attendance) -> Attendance {
    placements[0].holders[0].first(where: attendance.awaits)
      .map { .only($0, of: devices.count) } ?? attendance
  }
}
