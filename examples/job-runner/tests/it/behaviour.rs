use std::sync::Arc;

use job_runner::{Ending, Job, Queue, monitored};
use opbeat_testing::behaviour::{CartError, Runner, TRACE_PARENT, check_jobs, describe, tag, wait_forever};
use tokio::runtime::Runtime;
use tokio::sync::Notify;

/// The queue with the jobs of the table.
struct Jobs {
    runtime: Runtime,
    queue: Queue,
}

impl Jobs {
    fn end_of(&self, job: Job) -> Ending {
        self.runtime.block_on(self.queue.push(job).ended())
    }

    /// Cancels a job that never ends, after it has started.
    fn cancel(&self, name: &'static str) -> Ending {
        let runs = Arc::new(Notify::new());
        let started = Arc::clone(&runs);
        let ticket = self.queue.push(Job::new(name, async move {
            started.notify_one();
            wait_forever().await;
            Ok(())
        }));
        self.runtime.block_on(async {
            runs.notified().await;
            ticket.cancel().await
        })
    }
}

impl Runner for Jobs {
    fn run(&self, job: &str) {
        let ending = match job {
            "ok" => self.end_of(Job::new("ok", async {
                describe();
                Ok(())
            })),
            "traced" => self.end_of(Job::new("traced", async { Ok(()) }).with("traceparent", TRACE_PARENT)),
            "failing" => self.end_of(Job::new("failing", async {
                tag();
                Err(CartError::new().into())
            })),
            "panicking" => self.end_of(Job::new("panicking", async {
                describe();
                panic!("no stamps")
            })),
            _ => self.cancel("cancelled"),
        };
        let is_expected = match job {
            "ok" | "traced" => matches!(ending, Ending::Done),
            "failing" => matches!(ending, Ending::Failed(_)),
            "panicking" => matches!(ending, Ending::Panicked),
            _ => matches!(ending, Ending::Cancelled),
        };
        assert!(is_expected, "{job}: {ending:?}");
    }
}

#[test]
fn the_behaviour_table_of_jobs_passes() {
    let (agent, exporter) = opbeat_testing::behaviour::monitored();
    let (runtime, observer) = (Runtime::new().unwrap(), agent.clone());
    let queue = {
        let _entered = runtime.enter();
        Queue::start(move |job| monitored(&agent, job))
    };
    check_jobs(&Jobs { runtime, queue }, &observer, &exporter, "task.runner");
}
