//! Pages without data: the next steps.

use maud::{Markup, html};

use crate::query::{AppIdentity, SpanFamily};

/// Explains how to create the first app.
pub(super) fn no_app() -> Markup {
    html! {
        section.empty {
            h1 { "Create your first app" }
            p { "An app is one web application that reports here. This command creates it and prints the environment variables that the application needs:" }
            pre tabindex="0" { code { "opbeat app create acme/shop" } }
            p.muted { "Run it on the machine of this server, with the same " code { "--data" } " folder." }
        }
    }
}

/// Explains how to report the first job.
pub(super) fn no_job() -> Markup {
    html! {
        section.empty {
            h2 { "No jobs in this time range" }
            p { "A job appears here with its first run. The first line wraps one that runs on a schedule, and the second one that a queue starts:" }
            pre tabindex="0" { code {
                "agent.cron(\"nightly-report\", \"0 3 * * *\").run(report()).await?;\n"
                "agent.job(\"send-mail\").run(send(mail)).await?;"
            } }
            p.muted { "Other agents send jobs as transactions whose kind is not that of a request: the Python agent for Celery, and OpenTelemetry for spans of the kind CONSUMER and for internal spans at the start of a trace." }
        }
    }
}

/// Explains which agents send queries or calls, and how.
pub(super) fn no_span(family: SpanFamily) -> Markup {
    let (title, features, agents, kind, otlp) = match family {
        SpanFamily::Queries => (
            "No queries in this time range",
            "opbeat-instrument = { version = \"*\", features = [\"tracing\"] } # sqlx, sea-orm; others: diesel, tokio-postgres, rusqlite, redis, mongodb",
            "The agents for Python, Ruby and Node.js instrument the usual drivers of databases by themselves.",
            "db.",
            "OpenTelemetry sends them as spans with the attribute db.system.name.",
        ),
        SpanFamily::Calls => (
            "No calls of other services in this time range",
            "opbeat-instrument = { version = \"*\", features = [\"reqwest\"] } # others: awc, tower, tonic, ureq",
            "The agents for Python, Ruby, Node.js and browsers instrument the usual HTTP clients by themselves.",
            "ext.",
            "OpenTelemetry sends them as spans of the kind CLIENT.",
        ),
    };
    html! {
        section.empty {
            h2 { (title) }
            p { "They come from spans whose kind begins with " code { (kind) } ". In Rust, a feature for each library records them:" }
            pre tabindex="0" { code { (features) } }
            p.muted { (agents) " " (otlp) }
        }
    }
}

/// Explains how to report the first release.
pub(super) fn no_release(app: &AppIdentity) -> Markup {
    html! {
        section.empty {
            h2 { "No releases" }
            p { "A release appears here when it is completed. This command of a deployment reports it, with the environment variables of the application:" }
            pre tabindex="0" { code {
                "curl -H \"Authorization: Bearer $OPBEAT_SECRET_TOKEN\" \\\n"
                "    -d rev=$(git rev-parse HEAD) -d branch=main -d status=completed \\\n"
                "    $OPBEAT_SERVER_URL/api/v1/organizations/$OPBEAT_ORGANIZATION_ID/apps/$OPBEAT_APP_ID/releases/"
            } }
            p.muted { "The charts of " (app.name) " then show when it was released, and errors which release they began with." }
        }
    }
}
