//! The stack traces of Java and Kotlin: the newest call is first, and causes follow.

use opbeat_protocol::{Exception, Frame};

use super::parts::{Stack, split_type};

/// Packages of the runtime and of frameworks.
const LIBRARIES: [&str; 21] = [
    "java.",
    "javax.",
    "jakarta.",
    "jdk.",
    "sun.",
    "com.sun.",
    "kotlin.",
    "kotlinx.",
    "scala.",
    "org.springframework.",
    "org.apache.",
    "org.eclipse.",
    "org.hibernate.",
    "org.jboss.",
    "io.netty.",
    "io.vertx.",
    "io.quarkus.",
    "io.micronaut.",
    "io.opentelemetry.",
    "reactor.",
    "com.zaxxer.",
];

pub(super) fn parse(text: &str) -> Stack {
    let mut frames = Vec::new();
    let mut causes = Vec::new();
    for line in text.lines() {
        let trimmed = line.trim();
        if let Some(cause) = trimmed.strip_prefix("Caused by: ") {
            causes.push(exception(cause));
        } else if let Some(call) = trimmed.strip_prefix("at ")
            && causes.is_empty()
        {
            frames.extend(frame(call));
        }
    }
    frames.reverse();
    Stack { frames, causes }
}

/// Parses `com.acme.shop.Cart.buy(Cart.java:12)`, with a module such as `java.base/` before it.
fn frame(call: &str) -> Option<Frame> {
    let (method, location) = call.strip_suffix(')')?.split_once('(')?;
    let method = method.rsplit('/').next().unwrap_or(method);
    let (class, function) = method.rsplit_once('.')?;
    let (file, line) = location.split_once(':').unwrap_or((location, "0"));
    Some(Frame {
        filename: file.to_owned(),
        lineno: line.parse().unwrap_or(0),
        function: Some(function.to_owned()),
        module: Some(class.to_owned()),
        in_app: Some(!LIBRARIES.iter().any(|library| class.starts_with(library))),
        ..Frame::default()
    })
}

fn exception(line: &str) -> Exception {
    let (full, value) = line.split_once(": ").unwrap_or((line, ""));
    let (module, type_name) = split_type(full, ".");
    Exception { type_name, value: value.to_owned(), module, causes: Vec::new() }
}
