//! The Python agent 3.6.1: Flask, Django and a job.

use crate::errors::Agent;
use crate::program::old_python;
use crate::sent::{aggregated_spans, sent_transactions};
use crate::shop::EmptyShop;

/// Runs a program, and compares everything that its agent sent.
async fn compare(folder: &str, file: &str, platform: &str) {
    let shop = EmptyShop::start().await.after_errors(old_python(folder, file)).await;
    shop.recorder.assert_all_accepted();
    for exchange in shop.recorder.exchanges() {
        assert_eq!(exchange.header("user-agent"), "opbeat-python/3.6.1");
        assert!(exchange.header("x-opbeat-platform").contains(platform), "{exchange:?}");
    }
    let bodies = shop.recorder.bodies("transactions");
    shop.assert_transactions(&sent_transactions(&bodies)).await;
    shop.assert_aggregated(&aggregated_spans(&bodies), &bodies).await;
    shop.assert_errors(Agent::Python, "errors").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flask_application_is_shown_as_it_was_sent() {
    compare("python-flask", "app.py", "framework=flask/2.2.5").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_django_application_is_shown_as_it_was_sent() {
    compare("python-django", "app.py", "platform=CPython").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_python_job_is_shown_as_it_was_sent() {
    compare("python-job", "job.py", "platform=CPython").await;
}
