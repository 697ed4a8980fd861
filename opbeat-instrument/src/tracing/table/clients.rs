//! The rows of HTTP clients, cloud services and GraphQL.

use super::row::{Action, Meaning, Row};

pub(super) fn rows() -> Vec<Row> {
    vec![
        // The generated code of each service: the span's name is `SQS.SendMessage`. The HTTP client is inside of it.
        Row::span("aws_sdk_*", "*").kind("ext.aws").only_if("rpc.system", "aws-api").leaf(),
        Row::span("aws_smithy_runtime::client::orchestrator", "try_attempt").action(Action::Attempt),
        // reqwest-tracing 0.5 to 0.7. The URL is dropped, because its query may contain secrets.
        // The target is the application's module if the application implements `ReqwestOtelSpanBackend`.
        Row::span("*", "HTTP request")
            .only_if("otel.kind", "client")
            .kind("ext.http.reqwest")
            .signature_fields(["http.request.method", "server.address"], " ")
            .extra("status", "http.response.status_code")
            .failed_if("otel.status_code", "ERROR")
            .leaf(),
        // async-graphql 7: the transaction gets the operation's name. The spans of fields are too many to be shown.
        Row::span("async_graphql::graphql", "parse").field("source", Meaning::Operation).action(Action::Name),
    ]
}
