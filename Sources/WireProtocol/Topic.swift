/// One topic of the MQTT contract, without its root.
package enum Topic: Hashable, Sendable {
  /// `presence/<device>`: retained state and epoch; also the will.
  case presence(device: String)
  /// `heartbeat/<device>`
  case heartbeat(device: String)
  /// `desc/<device>`: methods, parts, hardware; retained.
  case description(device: String)
  /// `plan`: the plan that this deployment runs; retained.
  case plan
  /// `input/<client>`: the frames of one client, for all devices; `input/<client>/<device>`: those
  /// that concern one device alone.
  case input(client: String, device: String? = nil)
  /// `act/<layer>/<device>`: one device's part of one layer.
  case activation(layer: String, device: String)
  /// `rpc/<service>/<method>/<target>`
  case call(service: String, method: String, target: String)
  /// `reply/<client>/<service>`
  case reply(client: String, service: String)
  /// `metric/<device>/<kind>`
  case metric(device: String, kind: String)
  /// `result/<client>`
  case result(client: String)

  /// The levels below the root: the fixed first one, then the ids.
  var levels: [String] {
    switch self {
    case .presence(let device): ["presence", device]
    case .heartbeat(let device): ["heartbeat", device]
    case .description(let device): ["desc", device]
    case .plan: ["plan"]
    case .input(let client, let device): ["input", client] + (device.map { [$0] } ?? [])
    case .activation(let layer, let device): ["act", layer, device]
    case .call(let service, let method, let target): ["rpc", service, method, target]
    case .reply(let client, let service): ["reply", client, service]
    case .metric(let device, let kind): ["metric", device, kind]
    case .result(let client): ["result", client]
    }
  }

  /// The topic with these levels, or nil when the first is unknown or their number is wrong.
  /// The caller has checked that every level is an identifier.
  init?(levels: [String]) {
    switch (levels.first, levels.count) {
    case ("presence", 2): self = .presence(device: levels[1])
    case ("heartbeat", 2): self = .heartbeat(device: levels[1])
    case ("desc", 2): self = .description(device: levels[1])
    case ("plan", 1): self = .plan
    case ("input", 2): self = .input(client: levels[1])
    case ("input", 3): self = .input(client: levels[1], device: levels[2])
    case ("act", 3): self = .activation(layer: levels[1], device: levels[2])
    case ("rpc", 4): self = .call(service: levels[1], method: levels[2], target: levels[3])
    case ("reply", 3): self = .reply(client: levels[1], service: levels[2])
    case ("metric", 3): self = .metric(device: levels[1], kind: levels[2])
    case ("result", 2): self = .result(client: levels[1])
    default: return nil
    }
  }
}

/// A subscription to several topics at once. Parts have none: they are subscribed to one by one.
package enum TopicFilter: Hashable, Sendable {
  /// The presence of every device.
  case allPresence
  /// The heartbeats of every device.
  case allHeartbeats
  /// The descriptions of every device.
  case allDescriptions
  /// The metrics of every device.
  case allMetrics
  /// The input of every client: a worker serves all of them.
  case allInputs
  /// The input of every client that concerns one device alone.
  case inputs(device: String)
  /// Every call to one target.
  case calls(target: String)
  /// The calls of one method to one target.
  case methodCalls(service: String, method: String, target: String)
  /// The same, each delivered to one of several subscribers.
  case sharedMethodCalls(service: String, method: String, target: String)
  /// Every reply to one client.
  case replies(client: String)

  /// The name under which subscribers share, or nil.
  var group: String? { if case .sharedMethodCalls(_, _, let target) = self { target } else { nil } }

  /// The levels below the root; nil stands for any id.
  var levels: [String?] {
    switch self {
    case .allPresence: ["presence", nil]
    case .allHeartbeats: ["heartbeat", nil]
    case .allDescriptions: ["desc", nil]
    case .allMetrics: ["metric", nil, nil]
    case .allInputs: ["input", nil]
    case .inputs(let device): ["input", nil, device]
    case .calls(let target): ["rpc", nil, nil, target]
    case .methodCalls(let service, let method, let target),
      .sharedMethodCalls(let service, let method, let target):
      ["rpc", service, method, target]
    case .replies(let client): ["reply", client, nil]
    }
  }
}
