//! A program that runs until the test process ends, and which a test can kill and start again.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// The time until a server must accept connections. RabbitMQ needs ten seconds of a processor, which others may use.
const START_TIMEOUT: Duration = Duration::from_secs(900);

/// The time until all processes of a server must have ended after a signal.
const END_TIMEOUT: Duration = Duration::from_secs(60);

/// The number of log lines that a panic message contains.
const QUOTED_LINES: usize = 30;

/// Runs a program in a process group of its own until standard input ends, which is when the test process closes it
/// or dies. Then the group is killed and its directory is removed, unless the input is the line `keep`.
///
/// The arguments are the signal, the directory and the command. The first line of the output is the group's id. The
/// shell closes its own standard output, so that the test process sees the end of the log if the program exits.
const SUPERVISE: &str = r#"
signal=$1 directory=$2
shift 2
setsid sh -c 'echo "$$"; exec "$@"' supervised "$@" </dev/null 2>&1 &
exec >/dev/null 2>&1
read -r order
kill -s "$signal" -- "-$!"
kill -s CONT -- "-$!"
wait
[ "$order" = keep ] || rm -rf -- "$directory"
"#;

/// How a server is started, and how it ends when nobody needs it anymore.
#[derive(Debug)]
pub(crate) struct Recipe {
    /// The command that runs it in the foreground.
    pub(crate) command: Command,
    /// The directory that is removed in the end.
    pub(crate) directory: PathBuf,
    /// The signal that ends it.
    pub(crate) signal: &'static str,
    /// A part of the log line that it writes when it accepts connections.
    pub(crate) ready: &'static str,
}

/// A server, which is killed when the value is dropped or when the test process ends.
#[derive(Debug)]
pub(crate) struct Server {
    recipe: Recipe,
    running: Option<Running>,
}

/// The processes of a started server.
#[derive(Debug)]
struct Running {
    supervisor: Child,
    group: Pid,
    events: Mutex<Receiver<Event>>,
}

/// An event in the log of a server.
#[derive(Debug)]
enum Event {
    /// The first line, which contains the id of the process group.
    Started(i32),
    /// The server accepts connections.
    Ready,
    /// All processes have closed the log. This contains its newest lines.
    Ended(String),
}

impl Server {
    /// Starts a server, and waits until it is ready.
    pub(crate) fn start(recipe: Recipe) -> Self {
        let mut server = Self { recipe, running: None };
        server.start_again();
        server
    }

    /// Starts the server after it was killed or stopped, and waits until it is ready.
    pub(crate) fn start_again(&mut self) {
        assert!(self.running.is_none(), "{:?} runs already", self.recipe.command);
        self.running = Some(Running::start(&self.recipe));
    }

    /// Kills all processes with SIGKILL, and waits until they have ended. Does nothing if the server does not run.
    pub(crate) fn kill(&mut self) {
        let Some(running) = self.running.take() else { return };
        running.signal(Signal::STOP);
        // PostgreSQL's processes have groups of their own.
        let children = running.children();
        running.signal(Signal::KILL);
        for child in children {
            // An error means that the process has ended with its parent.
            let _ = kill_process(child, Signal::KILL);
        }
        running.end();
    }

    /// Stops the server with a signal, and waits until it has ended. Does nothing if the server does not run.
    pub(crate) fn stop(&mut self, signal: Signal) {
        let Some(running) = self.running.take() else { return };
        running.signal(signal);
        running.end();
    }

    /// Sends a signal to the processes of the server, if it runs.
    pub(crate) fn signal(&self, signal: Signal) {
        if let Some(running) = &self.running {
            running.signal(signal);
        }
    }

    /// Returns the directory of the server.
    pub(crate) fn directory(&self) -> &PathBuf {
        &self.recipe.directory
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        match self.running.take() {
            Some(Running { mut supervisor, .. }) => {
                drop(supervisor.stdin.take());
                // The supervisor ends after the server. An error means that it has already ended.
                let _ = supervisor.wait();
            }
            // An error leaves files in the system's directory for temporary files, which breaks no test.
            None => drop(fs::remove_dir_all(&self.recipe.directory)),
        }
    }
}

impl Running {
    fn start(Recipe { command, directory, signal, ready }: &Recipe) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut supervisor = Command::new("sh");
        supervisor.args(["-c", SUPERVISE, "supervise", signal]).arg(directory).current_dir(directory);
        supervisor.arg(command.get_program()).args(command.get_args());
        for (variable, value) in command.get_envs() {
            match value {
                Some(value) => supervisor.env(variable, value),
                None => supervisor.env_remove(variable),
            };
        }
        // An interrupt from the terminal ends the test process, and the supervisor must survive to end the server.
        supervisor.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut supervisor = supervisor.spawn().expect("a shell is installed");
        let log = supervisor.stdout.take().expect("standard output is piped");

        let ready = *ready;
        let (send, events) = mpsc::channel();
        thread::spawn(move || follow(log, ready, &send));
        let Ok(Event::Started(group)) = events.recv_timeout(START_TIMEOUT) else {
            panic!("{name}: the first line is not the id of a process");
        };
        let group = Pid::from_raw(group).expect("the id of a process is positive");
        let running = Self { supervisor, group, events: Mutex::new(events) };
        match running.next(START_TIMEOUT) {
            Some(Event::Ready) => running,
            Some(Event::Ended(log)) => panic!("{name} exited before it was ready:\n{log}"),
            other => {
                running.signal(Signal::KILL);
                let end = running.next(END_TIMEOUT);
                panic!("{name} did not write {ready:?} within {START_TIMEOUT:?}: {other:?}, {end:?}");
            }
        }
    }

    /// Returns the next event, unless a time passes first.
    fn next(&self, within: Duration) -> Option<Event> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(within).ok()
    }

    fn signal(&self, signal: Signal) {
        // An error means that the server has already ended. Its id is not used again before `end`, which reaps it.
        let _ = kill_process_group(self.group, signal);
    }

    /// Returns the child processes of the server, on Linux. Elsewhere, they end when they notice the end of their parent.
    fn children(&self) -> Vec<Pid> {
        let group = self.group.as_raw_nonzero();
        let children = fs::read_to_string(format!("/proc/{group}/task/{group}/children")).unwrap_or_default();
        children.split_whitespace().filter_map(|child| Pid::from_raw(child.parse().ok()?)).collect()
    }

    /// Waits until all processes have ended after a signal. The directory stays.
    fn end(mut self) {
        let end = self.next(END_TIMEOUT);
        assert!(
            matches!(end, Some(Event::Ended(_))),
            "the server {:?} did not end within {END_TIMEOUT:?}: {end:?}",
            self.group
        );
        let mut orders = self.supervisor.stdin.take().expect("standard input is piped");
        // An error means that the supervisor was killed, by which nothing is lost.
        let _ = orders.write_all(b"keep\n");
        drop(orders);
        let _ = self.supervisor.wait();
    }
}

/// Reports the id of the process group, the line that contains `ready`, and the end of the log.
fn follow(log: impl Read, ready: &str, report: &Sender<Event>) {
    let mut newest = VecDeque::new();
    let mut lines = BufReader::new(log).split(b'\n').map_while(Result::ok);
    if let Some(group) = lines.next().and_then(|line| String::from_utf8(line).ok()?.parse().ok()) {
        // The receiver is gone after a timeout, when the test has already failed.
        let _ = report.send(Event::Started(group));
    }
    let mut is_ready = false;
    // The rest is read so that the server can always write.
    for line in lines {
        let line = String::from_utf8_lossy(&line).into_owned();
        if !is_ready && line.contains(ready) {
            is_ready = true;
            let _ = report.send(Event::Ready);
        }
        newest.push_back(line);
        if newest.len() > QUOTED_LINES {
            newest.pop_front();
        }
    }
    let _ = report.send(Event::Ended(Vec::from(newest).join("\n")));
}
