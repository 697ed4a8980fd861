//! The endpoint for assistants: the Model Context Protocol over HTTP, at `/mcp`.
//!
//! ```text
//! assistant ─► POST /mcp, with a token ─► tool ─► request to the API, with the same token ─► its response as text
//! ```
//!
//! Each operation of the API is a tool. Names, descriptions and arguments come from the API's description, so a new
//! operation is a tool without a line of code here, and a tool can do nothing that the API does not allow. Tools that
//! change something are listed only if the token may write.
//!
//! Specification: <https://modelcontextprotocol.io/specification/>, the transport "Streamable HTTP" without sessions.

mod assistant;
mod tools;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

use crate::api::{self, Api, Reader};
use assistant::Assistant;
use tools::Tools;

/// The largest request, in bytes. A comment has at most 10,000 characters.
const MAX_REQUEST: usize = 256 * 1_024;

/// Makes the route of the endpoint.
pub(crate) fn router(api: Api) -> Router {
    let tools = Arc::new(Tools::of(&api::description()));
    let assistant = Assistant::new(api::router(api.clone()), tools);
    // A token in a header is no cookie: a page of another site cannot make a browser send it, so the host's name need
    // not be checked.
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(MAX_REQUEST)
        .disable_allowed_hosts();
    let sessions = Arc::new(LocalSessionManager::default());
    let service = StreamableHttpService::new(move || Ok(assistant.clone()), sessions, config);
    Router::new().route_service("/mcp", service).layer(from_fn_with_state(api, authorize))
}

/// Answers requests without a valid token as the API does. Gives the token's rights to the tools.
async fn authorize(reader: Reader, mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(reader.rights);
    next.run(request).await
}
