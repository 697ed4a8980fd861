//! The forms that resolve, mute, open, assign, comment, merge and split errors.

use axum::extract::{Path, RawForm};
use axum::http::header::SET_COOKIE;
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

use super::assignees;
use crate::assignment::{Assignee, NOBODY};
use crate::dashboard::access::{Browser, Reader};
use crate::dashboard::forged::{form_token, is_forged};
use crate::dashboard::path;
use crate::dashboard::problem::Problem;
use crate::error_status::{MuteEnds, Status, StatusChange};
use crate::query::{AppIdentity, Assignees, ErrorSummary};
use crate::triage::Refusal;

/// The ends of a mute that a page offers: the value of the form, and the label.
const ENDS: [(&str, &str); 6] = [
    ("", "for ever"),
    ("1h", "for an hour"),
    ("24h", "for a day"),
    ("7d", "for a week"),
    ("release", "until the next release"),
    ("100", "until 100 more errors"),
];

/// The longest form, in bytes.
const MAX_FORM: usize = 64 << 10;

/// The forms of a page: the token that proves where they came from, and the header that sets its cookie.
pub(super) struct Forms {
    token: String,
    set_cookie: String,
}

impl Forms {
    /// Returns the forms for a reader, or `None` if the reader may not change errors.
    pub(super) fn of(reader: &Reader, app: &AppIdentity, browser: &Browser) -> Option<Self> {
        let (token, set_cookie) = reader.may_write(app).then(|| form_token(browser))?;
        Some(Self { token, set_cookie })
    }

    /// Returns the response with a page that contains the forms.
    pub(super) fn respond(this: Option<Self>, page: Markup) -> Response {
        match this {
            Some(forms) => (AppendHeaders([(SET_COOKIE, forms.set_cookie)]), page).into_response(),
            None => page.into_response(),
        }
    }

    /// Makes the hidden fields: the token, and the page to return to.
    pub(super) fn hidden(&self, back: &str) -> Markup {
        html! {
            input type="hidden" name="form" value=(self.token);
            input type="hidden" name="back" value=(back);
        }
    }

    /// Makes the buttons that change the status and the assignee of one error.
    pub(super) fn actions(&self, app: &AppIdentity, error: &ErrorSummary, assignees: &Assignees) -> Markup {
        let assignee = error.assignee.as_ref().map_or(NOBODY, |assignee| &assignee.id);
        html! {
            form.actions method="post" action=(path::change_errors(app)) {
                (self.hidden(&path::error(app, error.number)))
                input type="hidden" name="number" value=(error.number);
                (buttons(Some(error.status)))
                @if !assignees.is_empty() { (assignees::button(assignees, Some(assignee))) }
            }
        }
    }

    /// Makes the button that splits a merged error from one.
    pub(super) fn split(&self, app: &AppIdentity, from: i64, number: i64) -> Markup {
        html! {
            form method="post" action=(path::change_errors(app)) {
                (self.hidden(&path::error(app, from)))
                input type="hidden" name="from" value=(from);
                input type="hidden" name="number" value=(number);
                button type="submit" name="action" value="split" aria-label={ "Split E#" (number) } { "Split" }
            }
        }
    }

    /// Makes the form for a comment.
    pub(super) fn comment(&self, app: &AppIdentity, number: i64) -> Markup {
        html! {
            form.comment method="post" action=(path::comment(app, number)) {
                (self.hidden(&path::error(app, number)))
                label for="comment" { "Comment" }
                textarea #comment name="text" rows="3" maxlength="10000" required {}
                button type="submit" { "Add comment" }
            }
        }
    }
}

/// Makes the buttons for errors of a status, or of several ones.
pub(super) fn buttons(status: Option<Status>) -> Markup {
    html! {
        @if status != Some(Status::Resolved) {
            button.primary type="submit" name="action" value="resolve" { "Resolve" }
            button type="submit" name="action" value="resolve-in-next-release" { "Resolve in the next release" }
        }
        @if status != Some(Status::Open) { button type="submit" name="action" value="open" { "Open again" } }
        @if status != Some(Status::Muted) {
            span.together {
                button type="submit" name="action" value="mute" { "Mute" }
                select name="until" aria-label="End of the mute" { @for (value, label) in ENDS { option value=(value) { (label) } } }
            }
        }
    }
}

/// A form about errors.
struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// Parses the body of a form, unless a page of another site may have sent it.
    fn parse(browser: &Browser, body: &[u8]) -> Result<Self, Problem> {
        if body.len() > MAX_FORM {
            return Err(Problem::Refused(Refusal::Invalid("The form is too long. Select fewer errors.")));
        }
        let form = Self { fields: form_urlencoded::parse(body).into_owned().collect() };
        if is_forged(browser, form.value("form")) { Err(Problem::Forged) } else { Ok(form) }
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| &**value)
    }

    /// Returns the numbers of the selected errors.
    fn numbers(&self) -> Vec<i64> {
        self.fields.iter().filter(|(name, _)| name == "number").filter_map(|(_, value)| value.parse().ok()).collect()
    }

    fn change(&self, now: Timestamp) -> Result<StatusChange, Problem> {
        let after = |hours| (now + SignedDuration::from_hours(hours)).as_microsecond();
        match self.value("action") {
            Some("open") => Ok(StatusChange::Open),
            Some("resolve") => Ok(StatusChange::Resolve { in_next_release: false }),
            Some("resolve-in-next-release") => Ok(StatusChange::Resolve { in_next_release: true }),
            Some("mute") => Ok(StatusChange::Mute(match self.value("until").unwrap_or_default() {
                "1h" => MuteEnds { time: Some(after(1)), ..MuteEnds::default() },
                "24h" => MuteEnds { time: Some(after(24)), ..MuteEnds::default() },
                "7d" => MuteEnds { time: Some(after(7 * 24)), ..MuteEnds::default() },
                "release" => MuteEnds { next_release: true, ..MuteEnds::default() },
                "100" => MuteEnds { further_errors: Some(100), ..MuteEnds::default() },
                _ => MuteEnds::default(),
            })),
            _ => Err(Problem::Refused(Refusal::Invalid("The form names no action. Press one of its buttons."))),
        }
    }

    /// Returns the chosen assignee, or `None` for nobody.
    fn assignee(&self) -> Result<Option<Assignee>, Problem> {
        match self.value("assignee") {
            Some(NOBODY) => Ok(None),
            text => match text.and_then(Assignee::of) {
                Some(assignee) => Ok(Some(assignee)),
                None => Err(Problem::Refused(Refusal::Invalid("The form names no assignee. Choose one of the list."))),
            },
        }
    }

    /// Returns to the page that the form was on.
    fn back(&self) -> Response {
        Redirect::to(&path::after_sign_in(self.value("back"))).into_response()
    }
}

/// Changes the status or the assignee of the selected errors, merges them, or splits one.
pub(in crate::dashboard) async fn change_errors(
    reader: Reader,
    browser: Browser,
    Path((organization, app)): Path<(String, String)>,
    RawForm(body): RawForm,
) -> Result<Response, Problem> {
    let form = Form::parse(&browser, &body)?;
    let app = reader.app(&organization, &app).await?;
    let (triage, rights) = (&reader.triage, &reader.rights);
    let numbers = form.numbers();
    match form.value("action") {
        Some("merge") => {
            // The oldest one shows all.
            let into = numbers.iter().min().copied().unwrap_or_default();
            let shown = triage.merge(rights, &app, into, numbers).await.map_err(Problem::Refused)?;
            return Ok(Redirect::to(&path::error(&app, shown)).into_response());
        }
        Some("split") => {
            let from = form.value("from").and_then(|text| text.parse().ok()).unwrap_or_default();
            triage.split(rights, &app, from, numbers).await.map_err(Problem::Refused)?;
        }
        Some("assign") => {
            triage.assign(rights, &app, numbers, form.assignee()?).await.map_err(Problem::Refused)?;
        }
        _ => {
            triage.change(rights, &app, numbers, form.change(Timestamp::now())?).await.map_err(Problem::Refused)?;
        }
    }
    Ok(form.back())
}

/// Adds a comment to an error.
pub(in crate::dashboard) async fn comment(
    reader: Reader,
    browser: Browser,
    Path((organization, app, number)): Path<(String, String, i64)>,
    RawForm(body): RawForm,
) -> Result<Response, Problem> {
    let form = Form::parse(&browser, &body)?;
    let app = reader.app(&organization, &app).await?;
    let text = form.value("text").unwrap_or_default();
    reader.triage.comment(&reader.rights, &app, number, text).await.map_err(Problem::Refused)?;
    Ok(form.back())
}
