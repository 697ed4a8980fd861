//! The users that an error happened to, and the transactions that it happened in.

use jiff::Timestamp;
use maud::{Markup, html};

use super::room::Room;
use crate::dashboard::format::{ago, signed_count, time, transaction_name, users};
use crate::dashboard::path;
use crate::query::{AffectedTransactions, AffectedUser, AffectedUsers, AppIdentity, ErrorDetail};

/// The number of users that are not folded.
const UNFOLDED: usize = 10;

/// Shows the number of users, with a link to their list.
pub(super) fn figure(affected: &AffectedUsers) -> Markup {
    let recent = format!("{} in the last 24 h", signed_count(affected.last_24_hours));
    html! {
        @if affected.total > 0 {
            div.figure {
                dt { "users" }
                dd {
                    a href="#users" { (users(affected.total, affected.has_more)) }
                    // The latest of more users than are counted are not known.
                    @if !affected.has_more { small { (recent) } }
                }
            }
        }
    }
}

/// Lists the users and the transactions with the most reports.
pub(super) fn lists(app: &AppIdentity, detail: &ErrorDetail, room: &Room, now: Timestamp) -> Markup {
    html! {
        section.columns #users {
            (user_list(app, detail, room, now))
            (transaction_list(app, detail, room, now))
        }
    }
}

fn user_list(app: &AppIdentity, detail: &ErrorDetail, room: &Room, now: Timestamp) -> Markup {
    let affected = &detail.affected_users;
    html! {
        div {
            h2 { "Affected users" @if affected.total > 0 { " " small.muted { (users(affected.total, affected.has_more)) } } }
            @if affected.total == 0 {
                p.muted { "No report of this error names a user. Applications name it with " code { "set_user" } " of the agent, or with the attribute " code { "user.id" } " of OpenTelemetry; users without an id, an e-mail address and a login name are not counted." }
            } @else {
                @let (first, others) = affected.users.split_at(affected.users.len().min(UNFOLDED));
                (user_table(app, detail, first, room, now))
                @if !others.is_empty() {
                    details.whole { summary.muted { "the next " (others.len()) } (user_table(app, detail, others, room, now)) }
                }
                (rest(affected.users.len(), affected.total, "users"))
                @if affected.has_more { p.muted { "Over 1,000 users: further ones are not counted one by one. They have " (signed_count(affected.others_times_seen)) " reports." } }
            }
        }
    }
}

fn user_table(
    app: &AppIdentity,
    detail: &ErrorDetail,
    affected: &[AffectedUser],
    room: &Room,
    now: Timestamp,
) -> Markup {
    html! {
        div.panel { table.affected {
            caption.hidden { "Affected users" }
            thead { tr { th scope="col" { "user" } th.number scope="col" { "times" } th.number scope="col" { "last seen" } } }
            tbody {
                @for user in room.items(affected.iter()) {
                    tr {
                        td.name { (linked(app, detail, user.occurrence, &user_name(user, room))) (other_names(user, room)) }
                        td.number { (signed_count(user.times_seen)) }
                        td.number title=(time(user.last_seen)) { (ago(user.last_seen, now)) }
                    }
                }
            }
        } }
    }
}

/// Returns the name that people know best.
fn user_name(user: &AffectedUser, room: &Room) -> Markup {
    let names = [&user.email, &user.username, &user.id];
    html! {
        @match names.into_iter().flatten().next() {
            Some(name) => (room.text(name)),
            None => span.muted title="The names are removed with the occurrences of the user." { "not known any more" (room.text("")) },
        }
    }
}

fn other_names(user: &AffectedUser, room: &Room) -> Markup {
    let names = [&user.email, &user.username, &user.id];
    html! {
        @let mut others = names.into_iter().flatten().skip(1);
        @if let Some(name) = others.next() {
            small { (room.text(name)) @for name in others { " · " (room.text(name)) } }
        }
    }
}

fn transaction_list(app: &AppIdentity, detail: &ErrorDetail, room: &Room, now: Timestamp) -> Markup {
    let AffectedTransactions { total, has_more, others_times_seen, transactions } = &detail.affected_transactions;
    html! {
        @if !transactions.is_empty() {
            div {
                h2 { "Affected transactions " small.muted { (users(*total, *has_more)) } }
                div.panel { table.affected {
                    caption.hidden { "Affected transactions" }
                    thead { tr { th scope="col" { "transaction" } th.number scope="col" { "times" } th.number scope="col" { "last seen" } } }
                    tbody {
                        @for transaction in room.items(transactions.iter()) {
                            tr {
                                td.name { (linked(app, detail, transaction.occurrence, &html! { (room.text(transaction_name(&transaction.name))) })) }
                                td.number { (signed_count(transaction.times_seen)) }
                                td.number title=(time(transaction.last_seen)) { (ago(transaction.last_seen, now)) }
                            }
                        }
                    }
                } }
                (rest(transactions.len(), *total, "transactions"))
                @if *has_more { p.muted { "Further transactions than 100 are counted together: " (signed_count(*others_times_seen)) " reports." } }
            }
        }
    }
}

/// Links to the newest occurrence, if one is kept.
fn linked(app: &AppIdentity, detail: &ErrorDetail, occurrence: Option<i64>, text: &Markup) -> Markup {
    html! {
        @match occurrence {
            Some(id) => a href=(path::occurrence(app, detail.error.number, id)) title="The newest occurrence" { (text) },
            None => (text),
        }
    }
}

fn rest(listed: usize, total: i64, what: &str) -> Markup {
    let rest = total.saturating_sub(i64::try_from(listed).unwrap_or(i64::MAX));
    html! { @if rest > 0 { p.muted { "and " (signed_count(rest)) " more " (what) } } }
}
