//! The changes to an application's `src/main.rs`.

use crate::Failed;
use crate::application::{Application, Replacement};
use crate::framework::Framework;

/// The expression that replaces the address in the sources, so that each run can use a free port.
const ADDRESS: &str = r#"std::env::var("LISTEN").unwrap()"#;

/// Adds the layer to the router that is served. The examples have it in a variable or make it in a function.
const ROUTERS: [Replacement; 2] = [
    (
        "axum::serve(listener, app)",
        "axum::serve(listener, app.layer(opbeat_axum::OpbeatLayer::new(&opbeat_axum::Agent::from_env())))",
    ),
    (
        "axum::serve(listener, app())",
        "axum::serve(listener, app().layer(opbeat_axum::OpbeatLayer::new(&opbeat_axum::Agent::from_env())))",
    ),
];

/// Starts the agent once, outside of the closure that makes each worker's `App`.
const CLOSURES: [Replacement; 2] = [("HttpServer::new(|| {", WITH_AGENT), ("HttpServer::new(move || {", WITH_AGENT)];
const WITH_AGENT: &str = "HttpServer::new({ let agent = opbeat_actix::Agent::from_env(); move || {";

/// Wraps the `App` at the end of that closure.
const CLOSURE_END: Replacement = ("\n    })\n", "\n            .wrap(opbeat_actix::Opbeat::new(&agent))\n    }})\n");

/// Makes the application listen on the address in the variable `LISTEN`.
pub fn listen(application: &Application, text: &str) -> Result<String, Failed> {
    let addresses = application.framework.addresses();
    let written = addresses.iter().find(|address| text.contains(**address));
    let written = written.ok_or_else(|| missing(application, addresses[0]))?;
    Ok(text.replacen(written, ADDRESS, 1))
}

/// Adds the layer as the last one, so that it wraps the other layers.
pub fn add_layer(application: &Application, text: &str) -> Result<String, Failed> {
    match application.framework {
        _ if !application.layer.is_empty() => {
            application.layer.iter().try_fold(text.to_owned(), |text, change| replace(application, &text, &[*change]))
        }
        Framework::Axum => replace(application, text, &ROUTERS),
        Framework::Actix => {
            let text = replace(application, text, &CLOSURES)?;
            let (before, closure) = text.split_once(WITH_AGENT).ok_or_else(|| missing(application, WITH_AGENT))?;
            Ok(format!("{before}{WITH_AGENT}{}", replace(application, closure, &[CLOSURE_END])?))
        }
    }
}

/// Applies the first of some replacements whose text occurs, once.
fn replace(application: &Application, text: &str, alternatives: &[Replacement]) -> Result<String, Failed> {
    let found = alternatives.iter().find(|(from, _)| text.contains(from));
    let (from, to) = found.ok_or_else(|| missing(application, alternatives[0].0))?;
    Ok(text.replacen(from, to, 1))
}

fn missing(application: &Application, text: &str) -> Failed {
    let revision = application.framework.revision();
    format!("the change to {application} does not apply: src/main.rs of {revision} does not contain {text:?}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layer_wraps_the_complete_app() {
        let text = "HttpServer::new(|| {\n        App::new().service(index)\n    })\n    .bind(address)";
        let changed = add_layer(&Application::actix("example", &[]), text).unwrap();
        assert!(changed.contains("App::new().service(index)\n            .wrap("), "{changed}");
    }

    #[test]
    fn a_change_that_does_not_apply_is_an_error() {
        let error = add_layer(&Application::axum("example", &[]), "fn main() {}").unwrap_err().to_string();
        assert!(error.starts_with("the change to axum/example does not apply: src/main.rs of axum-v0.8.9"), "{error}");
    }
}
