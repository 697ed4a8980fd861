//! Two requests that run at the same time, each a half of it and then the other.

use std::future::poll_fn;
use std::sync::Mutex;
use std::task::{Poll, Waker};

use super::lock;
use opbeat_core::{current, span};

/// Who has come to where two meet.
static MEETING: Mutex<Meeting> = Mutex::new(Meeting { arrived: 0, waiting: None });

struct Meeting {
    arrived: u64,
    waiting: Option<Waker>,
}

/// Records a tag and two spans that say who they are of, while another request does the same in between.
pub async fn take_turns(who: &str) {
    current().set_tag("who", who.to_owned());
    let first = span(format!("first of {who}"), "code");
    meet().await;
    let second = span(format!("second of {who}"), "code");
    meet().await;
    drop(second);
    meet().await;
    drop(first);
}

/// Waits for the other one.
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
