//! RabbitMQ, with its user `guest`.

use super::server::{self, Server};
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// A broker and the registry of Erlang's nodes that it needs.
#[derive(Debug)]
struct Broker {
    /// Declared first, so that the broker stops before its registry.
    _broker: Server,
    _registry: Server,
    port: u16,
}

/// The URL of the broker that all tests of the process use. A test uses queues of its own.
pub(crate) fn url() -> String {
    static BROKER: OnceLock<Broker> = OnceLock::new();
    let port = BROKER.get_or_init(start).port;
    format!("amqp://guest:guest@127.0.0.1:{port}/%2f")
}

fn start() -> Broker {
    let registry_port = server::free_port().to_string();
    // Erlang would start a registry of its own, which outlives the broker.
    let mut registry = Command::new(server::program("epmd", &[], "erlang-base"));
    registry.args(["-d", "-address", "127.0.0.1", "-port", &registry_port]);
    let registry = Server::start(&registry, &server::directory(), "KILL", "epmd running");

    let directory = server::directory();
    let port = server::free_port();
    // The program in /usr/sbin is a wrapper that changes the user and the directory.
    let program = server::program("rabbitmq-server", &[PathBuf::from("/usr/lib/rabbitmq/bin")], "rabbitmq-server");
    let mut broker = Command::new(program);
    // The cookie of Erlang is a file in the home directory.
    broker.env("HOME", &directory);
    broker.env("ERL_EPMD_PORT", registry_port).env("ERL_EPMD_ADDRESS", "127.0.0.1");
    broker.env("RABBITMQ_NODENAME", format!("opbeat-{port}@localhost"));
    broker.env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1").env("RABBITMQ_NODE_PORT", port.to_string());
    broker.env("RABBITMQ_DIST_PORT", server::free_port().to_string());
    broker.env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1}");
    broker.env("RABBITMQ_CONF_ENV_FILE", "/dev/null").env("RABBITMQ_LOGS", "-");
    for (variable, name) in [
        ("RABBITMQ_CONFIG_FILE", "rabbitmq"),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", "plugins"),
        ("RABBITMQ_LOG_BASE", "log"),
        ("RABBITMQ_MNESIA_BASE", "data"),
        ("RABBITMQ_PID_FILE", "pid"),
    ] {
        broker.env(variable, directory.join(name));
    }
    let broker = Server::start(&broker, &directory, "KILL", "Server startup complete");
    Broker { _broker: broker, _registry: registry, port }
}
