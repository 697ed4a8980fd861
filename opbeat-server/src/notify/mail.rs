//! Mails by SMTP.

use std::net::IpAddr;
use std::time::Duration;

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use maud::{DOCTYPE, html};

use super::config::MailConfig;
use super::failure::Failure;
use crate::notification::{About, Message};

/// The time of one command of SMTP, and of a whole mail.
const COMMAND_TIME: Duration = Duration::from_secs(10);
const TIME: Duration = Duration::from_secs(30);

/// Sends mails to one server.
#[derive(Debug)]
pub(super) struct Mail {
    /// The connection's settings, or why they cannot be used.
    transport: Result<AsyncSmtpTransport<Tokio1Executor>, String>,
    from: Result<Mailbox, String>,
}

impl Mail {
    /// Makes a sender of mails, if a mail server is configured. `base` is the URL of this server.
    pub(super) fn new(config: &MailConfig, base: &str) -> Option<Self> {
        let server = config.server.as_deref()?;
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&with_encryption(server));
        let transport = transport.map(|builder| builder.timeout(Some(COMMAND_TIME)).build());
        let from = config.from.clone().unwrap_or_else(|| format!("opbeat@{}", domain(base)));
        let from = from.parse::<Address>().map(|address| Mailbox::new(Some("Opbeat".to_owned()), address));
        Some(Self {
            transport: transport.map_err(|error| format!("smtp.url cannot be used: {error}")),
            from: from.map_err(|error| format!("set smtp.from to the address that mails are from: {error}")),
        })
    }

    /// Sends messages to an address in one mail. The secret is that of the link that turns mails off.
    pub(super) async fn send(
        &self,
        (to, unsubscribe): (&str, &[u8]),
        messages: &[Message],
        base: &str,
    ) -> Result<(), Failure> {
        let transport = self.transport.as_ref().map_err(Failure::lasting)?;
        let from = self.from.clone().map_err(Failure::lasting)?;
        let to: Address = to.parse().map_err(|_| Failure::lasting("the e-mail address of the person is invalid"))?;
        let mail = mail((from, to), messages, base, &unsubscribe_url(base, unsubscribe))?;
        match tokio::time::timeout(TIME, transport.send(mail)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => {
                let failure = Failure::passing(format!("the mail server refused it or failed: {}", reasons(&error)));
                Err(Failure { is_final: error.is_permanent(), ..failure })
            }
            Err(_) => Err(Failure::passing(format!("the mail server did not answer within {} s", TIME.as_secs()))),
        }
    }
}

/// Returns the URL of an SMTP server with an explicit encryption: STARTTLS, unless the server is on this machine or the URL
/// turns it off.
fn with_encryption(url: &str) -> String {
    let (address, parameters) = url.split_once('?').unwrap_or((url, ""));
    if !url.starts_with("smtp://") {
        return url.to_owned();
    }
    let authority = address.trim_start_matches("smtp://").split('/').next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    match parameters {
        "tls=none" => address.to_owned(),
        "" if is_here(host) => address.to_owned(),
        "" => format!("{address}?tls=required"),
        _ => url.to_owned(),
    }
}

/// Returns whether a host with an optional port is this machine.
fn is_here(host: &str) -> bool {
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Returns the host of a URL as the domain of an e-mail address. Many programs do not read an IP address there, and lettre does
/// not either: such a server is `localhost` until `smtp.from` is set.
fn domain(base: &str) -> &str {
    let rest = base.split_once("://").map_or(base, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    let host = authority.split(':').next().unwrap_or_default();
    if authority.starts_with('[') || host.parse::<IpAddr>().is_ok() { "localhost" } else { host }
}

/// Returns the URL of the page that turns mails off.
fn unsubscribe_url(base: &str, secret: &[u8]) -> String {
    format!("{base}/unsubscribe/{}/", String::from_utf8_lossy(secret))
}

/// Makes a mail with a text and a page.
fn mail(
    (from, to): (Mailbox, Address),
    messages: &[Message],
    base: &str,
    unsubscribe: &str,
) -> Result<lettre::Message, Failure> {
    let first = messages.first().ok_or_else(|| Failure::lasting("the mail has no message"))?;
    let subject = match messages {
        [message] => message.headline(),
        several => format!("{} notifications, such as {}", several.len(), first.headline()),
    };
    let id = format!("<{}.{}@{}>", first.id, first.created_at, from.email.domain());
    let header = |name, value: &str| HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned());
    lettre::Message::builder()
        .from(from)
        .to(Mailbox::new(None, to))
        .subject(subject)
        .message_id(Some(id))
        .date_now()
        .raw_header(header("Auto-Submitted", "auto-generated"))
        // RFC 8058: the mail program turns the mails off with one press.
        .raw_header(header("List-Unsubscribe", &format!("<{unsubscribe}>")))
        .raw_header(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
        .multipart(MultiPart::alternative_plain_html(
            text(messages, base, unsubscribe),
            page(messages, base, unsubscribe),
        ))
        .map_err(|error| Failure::lasting(format!("the mail cannot be made: {error}")))
}

/// Returns the lines of a mail.
fn lines(message: &Message) -> Vec<String> {
    let mut lines = vec![message.summary()];
    if let About::Error(error) = &message.about {
        lines.push(error.text());
        if !error.culprit.is_empty() {
            lines.push(format!("In {}", error.culprit));
        }
        match &error.assignee {
            Some(name) if !error.reason.is_empty() => lines.push(format!("Assigned to {name}: {}.", error.reason)),
            Some(name) => lines.push(format!("Assigned to {name}.")),
            None => lines.push("Assigned to nobody.".to_owned()),
        }
        lines.push(format!("Seen {} times.", error.times_seen));
    }
    lines
}

fn text(messages: &[Message], base: &str, unsubscribe: &str) -> String {
    let part = |message: &Message| format!("{}\n\n{base}{}\n\n", lines(message).join("\n\n"), message.path());
    let parts: Vec<String> = messages.iter().map(part).collect();
    format!("{}-- \nTurn these mails off: {unsubscribe}\n", parts.join("----\n\n"))
}

/// Returns the same lines as HTML, in which all texts are escaped.
fn page(messages: &[Message], base: &str, unsubscribe: &str) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            body {
                @for message in messages {
                    @for line in lines(message) { p style="white-space: pre-wrap" { (line) } }
                    p { a href={ (base) (message.path()) } { (message.title()) " in " (message.app.name) } }
                    hr;
                }
                p { a href=(unsubscribe) { "Turn these mails off" } }
            }
        }
    };
    page.into_string()
}

/// Returns an error with its causes.
fn reasons(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let causes: Vec<String> = causes.take(4).map(ToString::to_string).collect();
    crate::text::shortened(&causes.join(": "), 300)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mails_to_other_machines_are_encrypted() {
        for (url, used) in [
            ("smtp://a:b@mail.example", "smtp://a:b@mail.example?tls=required"),
            ("smtp://a:b@mail.example:25?tls=none", "smtp://a:b@mail.example:25"),
            ("smtps://mail.example", "smtps://mail.example"),
            ("smtp://127.0.0.1:1025", "smtp://127.0.0.1:1025"),
            ("smtp://localhost@mail.example", "smtp://localhost@mail.example?tls=required"),
            ("smtp://[::1]:25", "smtp://[::1]:25"),
        ] {
            assert_eq!(with_encryption(url), used);
            let config = MailConfig { server: Some(url.to_owned()), from: None };
            let mail = Mail::new(&config, "https://monitor.example/opbeat").unwrap();
            assert!(
                mail.transport.is_ok() && mail.from.unwrap().email.to_string() == "opbeat@monitor.example",
                "{url}"
            );
        }
        assert_eq!(
            ["http://127.0.0.1:8200", "http://[::1]:8200", "http://here:80/a"].map(domain),
            ["localhost", "localhost", "here"]
        );
    }
}
