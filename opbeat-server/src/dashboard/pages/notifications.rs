//! The notifications of an app: its channels, and the newest messages.

use axum::extract::{Path, Query as Params, RawForm};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use maud::{Markup, html};

use super::query_parameters::PageParameters;
use crate::dashboard::access::{Browser, Reader};
use crate::dashboard::format::{ago, signed_count, time, until};
use crate::dashboard::forms::{Field, FormToken, Mistake, Posted, field, mistake, reason};
use crate::dashboard::layout::{Page, Tab, page};
use crate::dashboard::path;
use crate::dashboard::problem::Problem;
use crate::notification::{ChannelFilter, ChannelKind, site_of};
use crate::query::{AppIdentity, ChannelRow, MessageRow};

/// The form, or its result.
struct Shown {
    /// The kind of the channel that the form adds.
    kind: ChannelKind,
    mistake: Mistake,
    /// The key of a new webhook's signatures. No other page shows it.
    key: Option<String>,
}

pub(in crate::dashboard) async fn notifications(
    reader: Reader,
    browser: Browser,
    Path((organization, app)): Path<(String, String)>,
    Params(PageParameters { kind, .. }): Params<PageParameters>,
) -> Result<Response, Problem> {
    let app = reader.app(&organization, &app).await?;
    let kind = chosen(kind.as_deref().unwrap_or_default());
    show(&reader, &browser, &app, &Shown { kind, mistake: Mistake::default(), key: None }).await
}

/// Returns the kind of a text, or the first one.
fn chosen(text: &str) -> ChannelKind {
    ChannelKind::of(text).unwrap_or(ChannelKind::Webhook)
}

/// Adds, tests or removes a channel.
pub(in crate::dashboard) async fn change_notifications(
    reader: Reader,
    browser: Browser,
    Path((organization, app)): Path<(String, String)>,
    RawForm(body): RawForm,
) -> Result<Response, Problem> {
    let posted = Posted::parse(&browser, &body)?;
    let app = reader.app(&organization, &app).await?;
    let channels = reader.app_channels(&browser, &app)?;
    let channel = |field| posted.value(field).parse().map_err(|_| Posted::no_action());
    let changed = match posted.value("action") {
        "add" => {
            let choices = (posted.value("kind"), posted.value("activities"));
            channels
                .add(choices, (posted.value("name"), posted.value("target"), posted.value("token")))
                .await
                .map(|added| added.key)
        }
        // One form for all channels: the button that is pressed sends the id.
        "change" if !posted.value("remove").is_empty() => channels.remove(channel("remove")?).await.map(|()| None),
        "change" => channels.test(channel("test")?).await.map(|()| None),
        _ => return Err(Posted::no_action()),
    };
    let shown = match changed {
        Ok(None) => return Ok(Redirect::to(&path::notifications(&app)).into_response()),
        Ok(key) => Shown { kind: chosen(posted.value("kind")), mistake: Mistake::default(), key },
        Err(refused) => Shown { kind: chosen(posted.value("kind")), mistake: mistake(refused)?, key: None },
    };
    show(&reader, &browser, &app, &shown).await
}

async fn show(reader: &Reader, browser: &Browser, app: &AppIdentity, shown: &Shown) -> Result<Response, Problem> {
    let channels = reader.query.channels(app).await?;
    let messages = reader.query.notifications(app).await?;
    let token = FormToken::of(browser);
    let admin = reader.rights.may_administer(&app.organization_id).then_some(&token);
    let now = Timestamp::now();
    let content = html! {
        h1 { "Notifications" }
        p {
            "A person gets a mail about a new error that is assigned to them, and when it happens again after it was resolved. "
            "The team of the app gets the mails about errors that are assigned to nobody. Channels get all of them."
        }
        @if let Some(key) = &shown.key {
            p role="status" { "The key of the signatures of the new webhook is " code { (key) } ". It is not shown again." }
        }
        h2 { "Channels" }
        @if channels.is_empty() { p.empty { "The app has no channel yet." } } @else {
            @if let Some(token) = admin {
                form method="post" action=(path::notifications(app)) {
                    (token.action("change"))
                    (list(&channels, true, now))
                }
            } @else { (list(&channels, false, now)) }
        }
        @if let Some(token) = admin { (new_channel(app, token, shown)) } @else {
            p.muted { "Admins of the organization add and remove channels." }
        }
        h2 { "Newest messages" }
        @if messages.is_empty() { p.empty { "No message was sent yet." } } @else { (sent(&messages, now)) }
    };
    let title = format!("{} notifications", app.name);
    let status = if shown.mistake.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let head = Page { title: &title, app: Some(app), tab: Some(Tab::Notifications), is_signed_in: reader.is_signed_in };
    let page = page(&head, &content);
    Ok(token.respond(status, page))
}

fn list(channels: &[ChannelRow], is_admin: bool, now: Timestamp) -> Markup {
    html! {
        div.panel { table {
            caption.hidden { "Channels, in the order in which they were added" }
            thead { tr {
                th scope="col" { "channel" } th scope="col" { "activities" } th scope="col" { "last result" }
                @if is_admin { th scope="col" { span.hidden { "actions" } } }
            } }
            tbody { @for channel in channels {
                tr {
                    td.name { (channel.name) small { (kind(&channel.kind)) @if is_admin { ", " (site_of(&channel.target)) } } }
                    td { (filter(&channel.filter)) }
                    td { (last_result(channel, now)) }
                    @if is_admin {
                        td.number {
                            button type="submit" name="test" value=(channel.id) {
                                "Send a test" span.hidden { " to " (channel.name) }
                            }
                            " "
                            button type="submit" name="remove" value=(channel.id) {
                                "Remove" span.hidden { " " (channel.name) }
                            }
                        }
                    }
                }
            } }
        } }
    }
}

fn last_result(channel: &ChannelRow, now: Timestamp) -> Markup {
    let tried = channel.last_tried_at.map(|at| ago(from_micros(at), now));
    html! {
        @match (tried, &*channel.last_error) {
            (None, _) => "not used yet",
            (Some(tried), "") => { "sent " (tried) },
            (Some(tried), error) => { span.bad { "failed " (tried) ": " (error) } }
        }
        @if channel.waiting > 0 { small { (signed_count(channel.waiting)) " waiting" } }
    }
}

/// Returns the labels of the fields that a kind of channel has: the URL and the token.
const fn labels(kind: ChannelKind) -> (Option<&'static str>, Option<&'static str>) {
    match kind {
        ChannelKind::Webhook | ChannelKind::Slack => (Some("URL"), None),
        ChannelKind::Ntfy => (Some("URL with the topic"), Some("Access token, if the topic needs one")),
        ChannelKind::Pushover => (None, Some("Token of the application, a space, and key of the user")),
    }
}

fn new_channel(app: &AppIdentity, token: &FormToken, shown: &Shown) -> Markup {
    let Shown { kind, mistake, .. } = *shown;
    let name = Field { name: "name", label: "Name", kind: "text", value: "", autocomplete: "off" };
    let filters = [
        (ChannelFilter::Important, "new errors, and those that happen again"),
        (ChannelFilter::All, "all: assignments, comments and changes of the status too"),
    ];
    let (url, secret) = labels(kind);
    html! {
        h3 #new { "Add a channel" }
        nav.ranges aria-label="Kind of the channel" {
            @for other in ChannelKind::ALL {
                a href={ (path::notifications(app)) "?kind=" (other.as_str()) "#new" } aria-current=[(other == kind).then_some("true")] {
                    (other.name())
                }
            }
        }
        form.sign-in.stacked method="post" action=(path::notifications(app)) {
            (token.action("add"))
            input type="hidden" name="kind" value=(kind.as_str());
            @if let Some(reason) = reason("kind", mistake) { p.bad role="alert" { (reason) } }
            (field(name, mistake))
            @if let Some(label) = url {
                label for="target" { (label) }
                @if let Some(reason) = reason("target", mistake) { p.bad #target-reason role="alert" { (reason) } }
                input #target type="url" name="target" autocomplete="off" maxlength="1000"
                    aria-describedby=[reason("target", mistake).map(|_| "target-reason")];
            }
            @if let Some(label) = secret {
                label for="token" { (label) }
                @if let Some(reason) = reason("token", mistake) { p.bad #token-reason role="alert" { (reason) } }
                input #token type="password" name="token" autocomplete="off"
                    aria-describedby=[reason("token", mistake).map(|_| "token-reason")];
            }
            label for="activities" { "Activities" }
            @if let Some(reason) = reason("activities", mistake) { p.bad role="alert" { (reason) } }
            select #activities name="activities" {
                @for (filter, meaning) in filters { option value=(filter.as_str()) { (meaning) } }
            }
            button.primary type="submit" { "Add the channel" }
        }
    }
}

fn sent(messages: &[MessageRow], now: Timestamp) -> Markup {
    html! {
        div.panel { table {
            caption.hidden { "Messages, the newest first" }
            thead { tr { th scope="col" { "message" } th scope="col" { "to" } th scope="col" { "when" } th scope="col" { "result" } } }
            tbody { @for message in messages {
                @let created = from_micros(message.created_at);
                tr {
                    td.name {
                        @match &message.message {
                            Some(message) => { a href=(path::link(&message.path())) { (message.headline()) } },
                            None => "a message of a newer version of this server",
                        }
                    }
                    td { (message.receiver) }
                    td title=(time(created)) { (ago(created, now)) }
                    td { (result(message, now)) }
                }
            } }
        } }
    }
}

fn result(message: &MessageRow, now: Timestamp) -> Markup {
    html! {
        @match (message.sent_at, message.due_at) {
            (Some(_), _) => "sent",
            (None, Some(_)) if message.attempts == 0 => "waiting",
            (None, Some(_)) if message.error.is_empty() => "being sent",
            (None, Some(due)) => {
                "attempt " (signed_count(message.attempts)) " failed: " (message.error)
                ", next one " (until(from_micros(due), now))
            }
            (None, None) => { span.bad { "given up: " (message.error) } }
        }
    }
}

fn kind(kind: &str) -> &str {
    match ChannelKind::of(kind) {
        Some(kind) => kind.name(),
        None => kind,
    }
}

fn filter(filter: &str) -> &'static str {
    match ChannelFilter::of(filter) {
        Some(ChannelFilter::All) => "all",
        Some(ChannelFilter::Important) | None => "new, happened again",
    }
}

fn from_micros(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or_default()
}
