//! A broker of its own for a test.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;

use tempfile::TempDir;

use super::super::AmqpAddress;
use super::LONG;
use crate::queue::Broker;

/// A broker of its own for a test.
pub(super) struct Rabbit {
    /// Dropped first, so that the broker ends before its registry.
    server: Option<Group>,
    _registry: Group,
    registry_port: u16,
    port: u16,
    pub(super) folder: TempDir,
    /// A broker takes a processor for seconds to start: several at once are too slow for their own time limits.
    _turn: MutexGuard<'static, ()>,
}

/// A process and its children, which are killed when the value is dropped.
struct Group(Child);

impl Group {
    /// Starts a command, and waits until it writes a line with some text.
    fn start(command: &mut Command, ready: &'static str) -> Self {
        let mut child =
            command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let group = Self(child);
        let (send, receive) = mpsc::channel();
        thread::spawn(move || {
            for line in output.split(b'\n').map_while(Result::ok) {
                if String::from_utf8_lossy(&line).contains(ready) {
                    let _ = send.send(());
                }
            }
        });
        receive.recv_timeout(LONG).expect("the program gets ready");
        group
    }

    fn signal(&self, signal: &str) {
        let killed = Command::new("kill").args(["-s", signal, "--", &format!("-{}", self.0.id())]).status().unwrap();
        assert!(killed.success());
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal("KILL");
        self.0.wait().unwrap();
    }
}

impl Rabbit {
    pub(super) fn start() -> Self {
        let mut rabbit = Self::stopped();
        rabbit.restart();
        rabbit
    }

    /// Returns a broker that does not run yet.
    pub(super) fn stopped() -> Self {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let registry_port = free_port();
        let mut registry = Command::new("epmd");
        registry.args(["-d", "-address", "127.0.0.1", "-port", &registry_port.to_string()]);
        // It writes to its standard error.
        let mut shell = Command::new("sh");
        shell.args(["-c", "exec \"$@\" 2>&1", "sh"]).arg(registry.get_program()).args(registry.get_args());
        let registry = Group::start(&mut shell, "epmd running");
        let folder = tempfile::tempdir().unwrap();
        Self { server: None, _registry: registry, registry_port, port: free_port(), folder, _turn: turn }
    }

    pub(super) fn restart(&mut self) {
        self.server = Some(Group::start(&mut self.command("rabbitmq-server"), "Server startup complete"));
    }

    /// Writes the state of new queues to the disk. RabbitMQ 3.10 elects no leader of a quorum queue after a crash in the
    /// first seconds of the queue, until somebody runs `ra:trigger_election`.
    pub(super) fn settle(&self) {
        self.control(&["stop_app"]);
        self.control(&["start_app"]);
    }

    /// Runs `rabbitmqctl`.
    pub(super) fn control(&self, arguments: &[&str]) {
        let mut command = self.command("rabbitmqctl");
        let output = command.args(arguments).env_remove("RABBITMQ_DIST_PORT").output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    pub(super) fn command(&self, program: &str) -> Command {
        let folder = self.folder.path();
        let mut command = Command::new(format!("/usr/lib/rabbitmq/bin/{program}"));
        // The cookie of Erlang is a file in the home directory.
        command.env("HOME", folder);
        command.env("ERL_EPMD_PORT", self.registry_port.to_string()).env("ERL_EPMD_ADDRESS", "127.0.0.1");
        command.env("RABBITMQ_NODENAME", format!("opbeat-{}@localhost", self.port));
        command.env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1").env("RABBITMQ_NODE_PORT", self.port.to_string());
        command.env("RABBITMQ_DIST_PORT", free_port().to_string());
        command.env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1}");
        command.env("RABBITMQ_CONF_ENV_FILE", "/dev/null").env("RABBITMQ_LOGS", "-");
        for (variable, name) in [
            ("RABBITMQ_CONFIG_FILE", "rabbitmq"),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", "plugins"),
            ("RABBITMQ_LOG_BASE", "log"),
            ("RABBITMQ_MNESIA_BASE", "data"),
            ("RABBITMQ_PID_FILE", "pid"),
        ] {
            command.env(variable, folder.join(name));
        }
        command
    }

    /// Kills the broker, as a crash does.
    pub(super) fn kill(&mut self) {
        self.server = None;
    }

    pub(super) fn signal(&self, signal: &str) {
        self.server.as_ref().unwrap().signal(signal);
    }

    pub(super) fn broker(&self) -> Broker {
        let url = format!("amqp://guest:guest@127.0.0.1:{}/%2f?prefix=test", self.port);
        Broker::start(AmqpAddress::parse(&url).unwrap())
    }
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}
