//! The steps that connect an application of each kind.
//!
//! The Rust programs are those of the crates' READMEs and of `examples/hello`, which the compiler checks. The others are
//! those of the guides.

use maud::{Markup, html};

use super::program::Program;
use crate::query::AppIdentity;
use crate::site::Site;

const AXUM: &str = "\
use axum::{Router, routing::get};
use opbeat_axum::{Agent, OpbeatLayer};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let agent = Agent::from_env();
    let app = Router::new().route(\"/hello/{name}\", get(async || \"hello\")).layer(OpbeatLayer::new(&agent));
    let listener = tokio::net::TcpListener::bind(\"127.0.0.1:3000\").await?;
    axum::serve(listener, app).await
}
";

const ACTIX: &str = "\
use actix_web::{App, HttpServer, web};
use opbeat_actix::{Agent, Opbeat};

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    // Reads the variables `OPBEAT_…`. The end of `main` delivers the remaining data.
    let agent = Agent::from_env();
    let app = move || App::new().route(\"/books/{id}\", web::get().to(async || \"Emma\")).wrap(Opbeat::new(&agent));
    HttpServer::new(app).bind(\"127.0.0.1:3000\")?.run().await
}
";

const TOWER: &str = "\
use opbeat_tower::{Agent, OpbeatLayer, RequestHead, route};
use tower::ServiceBuilder;

let agent = Agent::from_env();
let layer = OpbeatLayer::new(&agent).route_name(|head: &RequestHead<'_>| {
    head.uri.path().starts_with(\"/books/\").then(|| route(head.method.as_str(), \"/books/{id}\"))
});
let services = ServiceBuilder::new().layer(layer);
";

const FLASK: &str = "\
import os
from opbeat.contrib.flask import Opbeat

app.config[\"OPBEAT\"] = {
    \"ORGANIZATION_ID\": os.environ[\"OPBEAT_ORGANIZATION_ID\"],
    \"APP_ID\": os.environ[\"OPBEAT_APP_ID\"],
    \"SECRET_TOKEN\": os.environ[\"OPBEAT_SECRET_TOKEN\"],
    \"SERVERS\": [os.environ[\"OPBEAT_SERVER_URL\"]],
}
opbeat = Opbeat(app)
";

/// The app that a program reports to.
pub(super) struct Target<'a> {
    pub(super) app: &'a AppIdentity,
    /// The address at which the reader reaches this server. Applications mostly reach it there too.
    pub(super) site: &'a Site,
    /// The start of the sentence that says where the first request appears.
    pub(super) arrives: &'static str,
}

/// Renders the steps for a kind of application.
pub(super) fn steps(program: Program, target: &Target<'_>) -> Markup {
    html! {
        ol.steps {
            li { (variables(target)) }
            @match program {
                Program::Axum => { (rust("opbeat-axum", "one layer to the router, after its routes", AXUM)) }
                Program::Actix => { (rust("opbeat-actix", "wrap the application, last", ACTIX)) }
                Program::Tower => { (rust("opbeat-tower", "one layer, which names the routes", TOWER)) }
                Program::Python => { (python(target)) }
                Program::Node => { (node(target)) }
                Program::OpenTelemetry => { (opentelemetry(target)) }
                Program::Curl => { (curl(target)) }
            }
            @if program != Program::Curl {
                li { p { "Start the program, and send it one request. " (target.arrives) " within 10 seconds." } }
            }
        }
    }
}

/// Renders a block that is copied. A click selects all of it.
fn block(label: &str, text: &str) -> Markup {
    html! { pre.block tabindex="0" role="group" aria-label=(label) { code { (text) } } }
}

fn variables(target: &Target<'_>) -> Markup {
    let AppIdentity { organization_id, organization, id, name } = target.app;
    let url = target.site.url("");
    let text = format!(
        "export OPBEAT_SERVER_URL={url}\nexport OPBEAT_ORGANIZATION_ID={organization_id}\nexport OPBEAT_APP_ID={id}\n\
         export OPBEAT_SECRET_TOKEN=PASTE-THE-SECRET-TOKEN\n"
    );
    html! {
        p { "Set these variables where the program runs:" }
        (block("Variables", &text))
        p.muted {
            "The secret token was shown once, when the app was created. On the machine of the server, "
            code { "opbeat app create " (organization) "/" (name) } " prints all four variables with a new token. Older tokens stay valid."
        }
    }
}

fn rust(name: &str, what: &str, code: &str) -> Markup {
    html! {
        li { p { "Add the crate:" } (block("Crate", &format!("cargo add {name}\n"))) }
        li { p { "Add " (what) ":" } (block("Program", code)) }
    }
}

/// Returns the variables of an SDK of OpenTelemetry.
fn otlp_variables(target: &Target<'_>) -> String {
    format!(
        "export OTEL_SERVICE_NAME={}\nexport OTEL_EXPORTER_OTLP_ENDPOINT={}\nexport OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\n\
         export OTEL_EXPORTER_OTLP_HEADERS=\"authorization=Bearer%20$OPBEAT_SECRET_TOKEN\"\n",
        target.app.name,
        target.site.url("")
    )
}

fn python(target: &Target<'_>) -> Markup {
    let commands = format!(
        "pip install opentelemetry-distro opentelemetry-exporter-otlp\nopentelemetry-bootstrap --action install\n{}\
         opentelemetry-instrument python app.py\n",
        otlp_variables(target)
    );
    html! {
        li {
            p { "Start the program with OpenTelemetry's instrumentation:" }
            (block("Commands", &commands))
            p { "Or, for a program that already uses the Opbeat agent, set its server. This is Flask; Django has the same keys in the setting " code { "OPBEAT" } ":" }
            (block("Flask", FLASK))
        }
    }
}

fn node(target: &Target<'_>) -> Markup {
    let commands = format!(
        "npm install @opentelemetry/api @opentelemetry/auto-instrumentations-node\n{}\
         node --require @opentelemetry/auto-instrumentations-node/register app.js\n",
        otlp_variables(target)
    );
    let agent = "\
const server = new URL(process.env.OPBEAT_SERVER_URL)
const isSecure = server.protocol === 'https:'
const opbeat = require('opbeat').start({
  _apiHost: server.hostname,
  _apiPort: server.port || (isSecure ? 443 : 80),
  _apiSecure: isSecure
})
// Behind the routes of Express:
app.use(opbeat.middleware.express())
";
    html! {
        li {
            p { "Start the program with OpenTelemetry's instrumentation:" }
            (block("Commands", &commands))
            @if target.site.base.is_empty() {
                p { "Or, for a program that already uses the Opbeat agent, set its server before any other " code { "require" } ":" }
                (block("Agent", agent))
            }
        }
    }
}

fn opentelemetry(target: &Target<'_>) -> Markup {
    let collector = format!(
        "exporters:\n  otlphttp:\n    endpoint: {}\n    headers:\n      authorization: Bearer ${{env:OPBEAT_SECRET_TOKEN}}\n\
         service:\n  pipelines:\n    traces: {{ receivers: [otlp], exporters: [otlphttp] }}\n    logs: {{ receivers: [otlp], exporters: [otlphttp] }}\n",
        target.site.url("")
    );
    html! {
        li {
            p { "Set these variables too. Every SDK of OpenTelemetry reads them:" }
            (block("Variables of OpenTelemetry", &otlp_variables(target)))
            p { "Or let a collector export to this server:" }
            (block("Collector", &collector))
            p.muted { "The service name is the name of the app. Spans of servers and consumers become transactions; metrics are accepted and not stored." }
        }
    }
}

fn curl(target: &Target<'_>) -> Markup {
    let AppIdentity { organization_id, id, .. } = target.app;
    let url = target.site.url(&format!("/api/v1/organizations/{organization_id}/apps/{id}/transactions/"));
    let command = format!(
        "curl -i -H \"Authorization: Bearer $OPBEAT_SECRET_TOKEN\" -H \"Content-Type: application/json\" \\\n    \
         -d '{{\"transactions\": [{{\"transaction\": \"GET /hello\", \"result\": 200, \"durations\": [12.5]}}], \"traces\": []}}' \\\n    \
         \"{url}\"\n"
    );
    html! {
        li {
            p { "Send one request by hand. The answer " code { "202" } " means that it is stored; any other one says why not:" }
            (block("Command", &command))
            p { (target.arrives) " within 10 seconds." }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ACTIX, AXUM, TOWER};

    /// The compiler checks the READMEs and the example.
    #[test]
    fn the_rust_programs_are_those_that_the_compiler_checks() {
        let hello = include_str!("../../../../../examples/hello/src/main.rs");
        let tower = include_str!("../../../../../opbeat-tower/README.md");
        let actix = include_str!("../../../../../opbeat-actix/README.md");
        for (program, source) in [(AXUM, hello), (ACTIX, actix), (TOWER, tower)] {
            assert!(source.contains(program), "{program}");
        }
    }
}
