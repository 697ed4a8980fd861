//! Two requests that run concurrently, and alternate step by step.

use std::future::poll_fn;
use std::sync::Mutex;
use std::task::{Poll, Waker};

use super::waiting::lock;
use opbeat_core::{current, span};

/// The rendezvous of two requests.
static MEETING: Mutex<Meeting> = Mutex::new(Meeting { arrived: 0, waiting: None });

struct Meeting {
    arrived: u64,
    waiting: Option<Waker>,
}

/// Records a tag and two spans that contain the id, while another request does the same with its own id.
pub async fn interleave(id: &str) {
    current().set_tag("who", id.to_owned());
    let first = span(format!("first of {id}"), "code");
    meet().await;
    let second = span(format!("second of {id}"), "code");
    meet().await;
    drop(second);
    meet().await;
    drop(first);
}

/// Waits until the other request arrives at the same step.
async fn meet() {
    let mut meeting = None;
    poll_fn(|cx| {
        let mut state = lock(&MEETING);
        let meeting = *meeting.get_or_insert_with(|| {
            state.arrived += 1;
            state.arrived.div_ceil(2)
        });
        if state.arrived < 2 * meeting {
            state.waiting = Some(cx.waker().clone());
            return Poll::Pending;
        }
        if let Some(other) = state.waiting.take() {
            other.wake();
        }
        Poll::Ready(())
    })
    .await;
}
