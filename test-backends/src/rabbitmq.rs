//! RabbitMQ, with its user `guest`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use rustix::process::Signal;

use crate::program::{self, directory, free_port};
use crate::server::{Recipe, Server};

/// Debian's directory of programs. Those in `/usr/sbin` are wrappers that change the user and the directory.
const PROGRAMS: &str = "/usr/lib/rabbitmq/bin";

/// Debian's package.
const PACKAGE: &str = "rabbitmq-server";

/// A broker, and the registry of Erlang's nodes that it needs.
#[derive(Debug)]
pub struct Rabbitmq {
    /// Declared first, so that the broker stops before its registry.
    broker: Server,
    _registry: Server,
    registry_port: u16,
    port: u16,
    /// The port of encrypted connections.
    tls_port: Option<u16>,
}

/// Returns the URL of the broker that all tests of the process use. A test uses queues of its own.
#[must_use]
pub fn url() -> String {
    static BROKER: OnceLock<Rabbitmq> = OnceLock::new();
    BROKER.get_or_init(Rabbitmq::start).url()
}

impl Rabbitmq {
    /// Returns whether the programs of RabbitMQ are installed.
    #[must_use]
    pub fn is_installed() -> bool {
        ["rabbitmq-server", "epmd"].iter().all(|name| program::find(name, &programs()).is_some())
    }

    /// Starts a broker that has no queues yet.
    ///
    /// # Panics
    ///
    /// Panics if RabbitMQ is not installed or does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::start_in(directory(), None)
    }

    /// Starts a broker that takes encrypted connections too, with a certificate for `localhost`.
    ///
    /// # Panics
    ///
    /// Panics if RabbitMQ is not installed, does not start, or cannot use the certificate.
    #[must_use]
    pub fn start_with_tls(certificate: &Path, key: &Path) -> Self {
        let (directory, port) = (directory(), free_port());
        let settings = format!(
            "listeners.ssl.default = 127.0.0.1:{port}\nssl_options.certfile = {}\nssl_options.keyfile = {}\n\
             ssl_options.verify = verify_none\nssl_options.fail_if_no_peer_cert = false\n",
            certificate.display(),
            key.display()
        );
        fs::write(directory.join("rabbitmq.conf"), settings).expect("the directory is writable");
        Self::start_in(directory, Some(port))
    }

    fn start_in(directory: PathBuf, tls_port: Option<u16>) -> Self {
        let registry_port = free_port();
        // Erlang would start a registry of its own, which outlives the broker.
        let mut command = Command::new(program::program("epmd", &[], "erlang-base"));
        command.args(["-d", "-address", "127.0.0.1", "-port", &registry_port.to_string()]);
        let registry = Recipe { command, directory: program::directory(), signal: "KILL", ready: "epmd running" };
        let registry = Server::start(registry);

        let port = free_port();
        let mut command = node_command("rabbitmq-server", &directory, port, registry_port);
        command.env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1").env("RABBITMQ_NODE_PORT", port.to_string());
        command.env("RABBITMQ_DIST_PORT", free_port().to_string());
        // Without this variable, a shell stays between the test and the broker, and takes its signals.
        command.env("RUNNING_UNDER_SYSTEMD", "true");
        // One scheduler is enough for a test, and starts faster than one for each core. Queues report their lengths
        // often, for `messages`.
        let arguments = "+S 1:1 -kernel inet_dist_use_interface {127,0,0,1} -rabbit quorum_tick_interval 250";
        command.env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", arguments);
        command.env("RABBITMQ_LOGS", "-");
        for (variable, name) in [
            ("RABBITMQ_CONFIG_FILE", "rabbitmq"),
            ("RABBITMQ_GENERATED_CONFIG_DIR", "generated"),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", "plugins"),
            ("RABBITMQ_LOG_BASE", "log"),
            ("RABBITMQ_MNESIA_BASE", "data"),
            ("RABBITMQ_PID_FILE", "pid"),
        ] {
            command.env(variable, directory.join(name));
        }
        let broker = Recipe { command, directory, signal: "KILL", ready: "Server startup complete" };
        Self { broker: Server::start(broker), _registry: registry, registry_port, port, tls_port }
    }

    /// Returns the URL of the broker.
    #[must_use]
    pub fn url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/%2f", self.port)
    }

    /// Returns the URL of the broker for encrypted connections, by the name of a certificate for `localhost`.
    ///
    /// # Panics
    ///
    /// Panics if the broker has no certificate.
    #[must_use]
    pub fn tls_url(&self) -> String {
        let port = self.tls_port.expect("it was started with a certificate");
        format!("amqps://guest:guest@localhost:{port}/%2f")
    }

    /// Returns the number of messages in all queues, with those that consumers have not acknowledged yet.
    ///
    /// # Panics
    ///
    /// Panics if the broker does not run.
    #[must_use]
    pub fn messages(&self) -> u64 {
        let mut list = node_command("rabbitmqctl", self.broker.directory(), self.port, self.registry_port);
        let lines = program::run(list.args(["--quiet", "list_queues", "--no-table-headers", "messages"]));
        lines.lines().map(|line| line.trim().parse::<u64>().expect("each line is a number")).sum()
    }

    /// Kills the broker with SIGKILL, and waits until all of its processes have ended.
    ///
    /// Confirmed messages are kept, except those in a queue that was declared less than a second before: RabbitMQ
    /// answers a declaration before it is on the disk.
    pub fn kill(&mut self) {
        self.broker.kill();
    }

    /// Shuts the broker down.
    pub fn stop(&mut self) {
        self.broker.stop(Signal::TERM);
    }

    /// Starts the broker on the same port with the same queues, after it was killed or stopped.
    ///
    /// # Panics
    ///
    /// Panics if the broker runs, or does not start.
    pub fn start_again(&mut self) {
        self.broker.start_again();
    }

    /// Suspends the broker: connections stay open, and nothing is answered.
    pub fn pause(&self) {
        self.broker.signal(Signal::STOP);
    }

    /// Continues after [`pause`](Self::pause).
    pub fn resume(&self) {
        self.broker.signal(Signal::CONT);
    }
}

/// A command of RabbitMQ for the node of a port, which ignores the system's settings.
fn node_command(name: &str, directory: &Path, port: u16, registry_port: u16) -> Command {
    let mut command = Command::new(program::program(name, &programs(), PACKAGE));
    // The cookie of Erlang is a file in the home directory.
    command.env("HOME", directory);
    command.env("ERL_EPMD_PORT", registry_port.to_string()).env("ERL_EPMD_ADDRESS", "127.0.0.1");
    command.env("RABBITMQ_NODENAME", format!("opbeat-{port}@localhost"));
    command.env("RABBITMQ_CONF_ENV_FILE", "/dev/null");
    command
}

/// The directories of RabbitMQ's programs.
fn programs() -> [PathBuf; 1] {
    [PathBuf::from(PROGRAMS)]
}
