//! Pages without data: the next steps.

use maud::{Markup, html};

use crate::query::AppIdentity;

/// Explains how to create the first app.
pub(super) fn no_app() -> Markup {
    html! {
        section.empty {
            h1 { "Create your first app" }
            p { "An app is one web application that reports here. This command creates it and prints the environment variables that the application needs:" }
            pre { code { "opbeat app create acme/shop" } }
            p.muted { "Run it on the machine of this server, with the same " code { "--data" } " folder." }
        }
    }
}

/// Explains how to report the first scheduled job.
pub(super) fn no_cron() -> Markup {
    html! {
        section.empty {
            h2 { "No cron jobs" }
            p { "A job that runs on a schedule appears here with its first run. This line wraps it:" }
            pre { code { "agent.cron(\"nightly-report\", \"0 3 * * *\").run(report()).await?;" } }
            p.muted { "The page then shows whether its last run failed, and whether its next run is late." }
        }
    }
}

/// Explains how to report the first release.
pub(super) fn no_release(app: &AppIdentity) -> Markup {
    html! {
        section.empty {
            h2 { "No releases" }
            p { "A release appears here when it is completed. This command of a deployment reports it, with the environment variables of the application:" }
            pre { code {
                "curl -H \"Authorization: Bearer $OPBEAT_SECRET_TOKEN\" \\\n"
                "    -d rev=$(git rev-parse HEAD) -d branch=main -d status=completed \\\n"
                "    $OPBEAT_SERVER_URL/api/v1/organizations/$OPBEAT_ORGANIZATION_ID/apps/$OPBEAT_APP_ID/releases/"
            } }
            p.muted { "The charts of " (app.name) " then show when it was released, and errors which release they began with." }
        }
    }
}

/// Explains how to connect an app that has not reported yet.
pub(super) fn no_request(app: &AppIdentity) -> Markup {
    html! {
        section.empty {
            h1 { "Waiting for the first request of " (app.name) }
            p { "1. Set the environment variables that this command prints:" }
            pre { code { "opbeat app create " (app.organization) "/" (app.name) } }
            p { "2. Add one layer to the router of the application:" }
            pre { code {
                "let agent = opbeat_axum::Agent::from_env();\n"
                "let app = Router::new()\n"
                "    .route(\"/books/{id}\", get(book))\n"
                "    .layer(opbeat_axum::OpbeatLayer::new(&agent));"
            } }
            p { "3. Send one request to the application. It appears here within 10 seconds; reload this page." }
            p.muted { "The Opbeat agents for Python, Node.js and other languages can report here too: configure their server, organization id, app id and secret token." }
        }
    }
}
