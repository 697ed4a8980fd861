//! The AWS SDK, with a peer in the place of SQS.

use std::error::Error;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::http::{HttpRequest, HttpResponse};
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::result::ConnectorError;
use axum::http::StatusCode;
use insta::assert_snapshot;

use super::{http_peer, secret, spans_of};

/// Sends the SDK's requests with reqwest.
#[derive(Clone, Debug)]
struct Connector(reqwest::Client);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move {
            send(&client, request).await.map_err(|error| ConnectorError::other(error, None))
        })
    }
}

async fn send(client: &reqwest::Client, request: HttpRequest) -> Result<HttpResponse, Box<dyn Error + Send + Sync>> {
    let mut sent = client.request(request.method().parse()?, request.uri());
    for (name, value) in request.headers() {
        sent = sent.header(name, value);
    }
    let body = request.body().bytes().unwrap_or_default().to_vec();
    let response = sent.body(body).send().await?;
    let status = response.status().as_u16().try_into()?;
    Ok(HttpResponse::new(status, response.bytes().await?.into()))
}

#[tokio::test]
async fn a_retried_operation_is_one_span() {
    let script: [(StatusCode, &[u8]); 3] = [
        (StatusCode::INTERNAL_SERVER_ERROR, b"{}"),
        (StatusCode::OK, b"{}"),
        (StatusCode::BAD_REQUEST, br#"{"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "no queue"}"#),
    ];
    let address = http_peer::start(script).await;
    let connector = SharedHttpConnector::new(Connector(reqwest::Client::new()));
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("an id", secret(), None, None, "test"))
        .endpoint_url(format!("http://{address}"))
        .retry_config(RetryConfig::standard().with_initial_backoff(std::time::Duration::from_millis(1)))
        .http_client(http_client_fn(move |_settings, _components| connector.clone()))
        .build();
    let client = Client::from_conf(config);
    let spans = spans_of(async {
        let queue = format!("http://{address}/1/{}", secret());
        let delete = client.delete_message().queue_url(&queue).receipt_handle(secret());
        delete.send().await.expect("the second attempt succeeds");
        client.get_queue_url().queue_name(secret()).send().await.expect_err("no queue");
    });
    assert_snapshot!(spans.await, @r"
    ext.aws SQS.DeleteMessage · retries=1
    ext.aws SQS.GetQueueUrl
    ");
}
