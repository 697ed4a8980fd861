//! The accounts of a person at providers of OpenID Connect.

use jiff::Timestamp;
use maud::{Markup, html};

use crate::dashboard::format::{ago, time};
use crate::dashboard::forms::FormToken;
use crate::query::LinkedIdentity;

/// Lists the accounts that are linked with a person. With a token, forms remove the links. Nothing is shown without accounts.
pub(super) fn identities(target: &str, token: Option<&FormToken>, identities: &[LinkedIdentity]) -> Markup {
    let now = Timestamp::now();
    html! {
        @if !identities.is_empty() {
            h2 { "Linked accounts" }
            ul.notes {
                @for identity in identities {
                    @let used_at = Timestamp::from_microsecond(identity.used_at).unwrap_or_default();
                    li {
                        (identity.email) " at " (identity.issuer) ", used "
                        time datetime=(used_at) title=(time(used_at)) { (ago(used_at, now)) }
                        @if let Some(token) = token {
                            " "
                            form.inline method="post" action=(target) {
                                (token.action("unlink"))
                                input type="hidden" name="issuer" value=(identity.issuer);
                                button type="submit" { "Remove the link" span.hidden { " with " (identity.issuer) } }
                            }
                        }
                    }
                }
            }
            @if token.is_some() {
                p.muted { "The next sign-in with the same verified address makes a new link. Sessions go on." }
            }
        }
    }
}
