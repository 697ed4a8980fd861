//! Forms about people: their fields, the token that proves where they came from, and the values that were sent.

use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{AppendHeaders, IntoResponse, Response};
use maud::{Markup, html};

use super::access::Browser;
use super::forged::{form_token, is_forged};
use super::problem::Problem;
use crate::people::Refused;

/// The longest form, in bytes.
const MAX_FORM: usize = 16 << 10;

/// The token of the forms on a page, and the header that sets its cookie.
pub(super) struct FormToken {
    token: String,
    set_cookie: String,
}

impl FormToken {
    /// Returns the token for a browser.
    pub(super) fn of(browser: &Browser) -> Self {
        let (token, set_cookie) = form_token(browser);
        Self { token, set_cookie }
    }

    /// Makes the hidden field.
    pub(super) fn hidden(&self) -> Markup {
        html! { input type="hidden" name="form" value=(self.token); }
    }

    /// Makes the hidden fields of a form with an action.
    pub(super) fn action(&self, action: &str) -> Markup {
        html! {
            (self.hidden())
            input type="hidden" name="action" value=(action);
        }
    }

    /// Returns the response with a page that contains the forms.
    pub(super) fn respond(self, status: StatusCode, page: Markup) -> Response {
        (status, AppendHeaders([(SET_COOKIE, self.set_cookie)]), page).into_response()
    }
}

/// The values of a form.
pub(super) struct Posted {
    fields: Vec<(String, String)>,
}

impl Posted {
    /// Parses the body of a form, unless a page of another site may have sent it.
    pub(super) fn parse(browser: &Browser, body: &[u8]) -> Result<Self, Problem> {
        if body.len() > MAX_FORM {
            return Err(Problem::People(Refused::Invalid { field: "form", message: "The form is too long." }));
        }
        let form = Self { fields: form_urlencoded::parse(body).into_owned().collect() };
        if is_forged(browser, Some(form.value("form"))) { Err(Problem::Forged) } else { Ok(form) }
    }

    /// Returns the value of a field, or an empty text.
    pub(super) fn value(&self, name: &str) -> &str {
        self.fields.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value)
    }

    /// Returns the error that a form names no known action.
    pub(super) const fn no_action() -> Problem {
        Problem::People(Refused::Invalid {
            field: "action",
            message: "The form names no action. Press one of its buttons.",
        })
    }
}

/// A value that was refused: the field, and the reason.
pub(super) type Mistake = Option<(&'static str, &'static str)>;

/// Returns the refused value of a change, or the problem that the form cannot mend.
pub(super) fn mistake(refused: Refused) -> Result<Mistake, Problem> {
    match refused {
        Refused::Invalid { field, message } => Ok(Some((field, message))),
        refused => Err(refused.into()),
    }
}

/// A field of a form.
#[derive(Clone, Copy)]
pub(super) struct Field<'a> {
    pub(super) name: &'static str,
    pub(super) label: &'a str,
    pub(super) kind: &'static str,
    pub(super) value: &'a str,
    pub(super) autocomplete: &'static str,
}

/// Returns the reason why the value of a field was refused, if it was.
pub(super) fn reason(field: &str, mistake: Mistake) -> Option<&'static str> {
    mistake.filter(|(name, _)| *name == field).map(|(_, reason)| reason)
}

/// Renders a field with its label, and with the reason if its value was refused.
pub(super) fn field(field: Field<'_>, mistake: Mistake) -> Markup {
    let reason = reason(field.name, mistake);
    let id = format!("{}-reason", field.name);
    // A browser cuts a pasted value off at the limit without a word, so that a password would be another one.
    let limit = (field.kind != "password").then_some("254");
    html! {
        label for=(field.name) { (field.label) }
        @if let Some(reason) = reason { p.bad id=(id) role="alert" { (reason) } }
        input id=(field.name) type=(field.kind) name=(field.name) value=(field.value) autocomplete=(field.autocomplete)
            required maxlength=[limit] aria-invalid=[reason.map(|_| "true")] aria-describedby=[reason.map(|_| &id)];
    }
}
