/// The embedded broker's configuration, with `{SOCKET}`, `{PORT}` and `{LOG}` to fill in.
///
/// The text of `broker-config/embedded.conf`, kept inside the program so that it can be moved
/// anywhere; a test compares the two.
enum EmbeddedBrokerTemplate {
  static let text = """
    # The broker that Martlet starts for itself: one mosquitto for one run, as a child process.
    # {SOCKET}, {PORT} and {LOG} are filled in when it starts.

    # Anybody who reaches a listener may use it. That is safe only because the socket lies in a folder
    # that no other user can enter and the port listens on the loopback address alone.
    allow_anonymous true
    listener 0 {SOCKET}
    listener {PORT} 127.0.0.1

    # Small tensors must leave at once instead of waiting for an acknowledgement.
    set_tcp_nodelay true

    # The only bound on what waits for a slow subscriber, QoS 0 included. The default of 1000 drops
    # parts of a burst; the byte limit keeps one stuck subscriber from filling the memory.
    max_queued_messages 100000
    max_queued_bytes 268435456

    # Tensors above 256 KiB travel in chunks; larger messages come only from measurements.
    message_size_limit 16777216

    # Nothing survives the run, so nothing is written to disk but the log.
    persistence false

    # Nobody reads $SYS here, and computing it costs wake-ups.
    sys_interval 0

    log_dest file {LOG}
    log_type error
    log_type warning
    log_type notice
    log_type information
    connection_messages true

    """
}
