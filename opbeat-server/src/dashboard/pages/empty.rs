//! What pages say before there is anything to show.

use maud::{Markup, html};

use crate::query::AppIdentity;

/// No app yet.
pub(super) fn no_app() -> Markup {
    html! {
        section.empty {
            h1 { "Create your first app" }
            p { "An app is one web application that reports here. This command creates it, and prints what the application needs:" }
            pre { code { "opbeat app create acme/shop" } }
            p.muted { "Run it on this machine, with the same " code { "--data" } " folder as the server." }
        }
    }
}

/// An app that has not reported.
pub(super) fn no_request(app: &AppIdentity) -> Markup {
    html! {
        section.empty {
            h1 { "Waiting for the first request of " (app.name) }
            p { "1. Put what this prints into the application's environment:" }
            pre { code { "opbeat app create " (app.organization) "/" (app.name) } }
            p { "2. Add one layer to the router:" }
            pre { code {
                "let agent = opbeat_axum::Agent::from_env();\n"
                "let app = Router::new()\n"
                "    .route(\"/books/{id}\", get(book))\n"
                "    .layer(opbeat_axum::OpbeatLayer::new(&agent));"
            } }
            p { "3. Call it once. The request shows here within 10 seconds; load this page again." }
            p.muted { "Agents of Opbeat for Python, Node.js and other languages report here as well: set their server, organization id, app id and secret token." }
        }
    }
}
