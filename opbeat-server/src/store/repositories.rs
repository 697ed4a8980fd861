//! The Git repositories of apps, and the last attempts to fetch them.

use super::database::Store;
use super::engine::{Connection, Row, query};
use super::error::StoreError;
use super::locks::lock_app;
use super::origins::find_app;

/// A repository to connect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NewRepository {
    /// The address, without a user and a password, or a path on the server.
    pub(crate) url: String,
    /// The file with the token, or an empty string.
    pub(crate) token_file: String,
    /// The revision of errors without a release, or an empty string.
    pub(crate) branch: String,
    /// The folder of the app in the repository, or an empty string.
    pub(crate) prefix: String,
    /// Whether the host may have a private address.
    pub(crate) allows_private: bool,
}

/// A connected repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RepositoryRow {
    /// The app's id.
    pub(crate) app_id: String,
    /// The names of the organization and the app, such as `acme/shop`.
    pub(crate) app: String,
    /// Its address and its options.
    pub(crate) repository: NewRepository,
    /// When it was connected, in microseconds since 1970.
    pub(crate) connected_at: i64,
    /// Whether new errors of the app are assigned to authors.
    pub(crate) assigns_authors: bool,
    /// The last fetch that succeeded, in microseconds since 1970.
    pub(crate) last_fetched_at: Option<i64>,
    /// The failure of the last fetch, or an empty string.
    pub(crate) last_error: String,
    /// The number of the app's newest release, or 0.
    pub(crate) newest_release: i64,
}

/// The number of newest releases whose commits are read when a repository is connected.
const READ_AGAIN: i64 = 50;

/// Lets the worker look at the open groups of an app again whose author is not known.
const LOOK_AGAIN: &str = "UPDATE error_groups SET assignment_due = 1
     WHERE app_id = ? AND status = 'open' AND assigned_by IN ('', 'team')";

impl Store {
    /// Returns the id of an app, by its names.
    pub(crate) async fn app_id(&self, (organization, app): (&str, &str)) -> Result<Option<String>, StoreError> {
        let names = (organization.to_owned(), app.to_owned());
        self.write(move |connection| find_app(connection, &names.0, &names.1)).await
    }

    /// Connects a repository with an app, instead of the one before. The open errors of the app without an author are
    /// looked at again. Returns the app's id, or `None` if there is no such app.
    pub(crate) async fn connect_repository(
        &self,
        (organization, app): (&str, &str),
        new: &NewRepository,
        now: i64,
    ) -> Result<Option<String>, StoreError> {
        let names = (organization.to_owned(), app.to_owned());
        let new = new.clone();
        self.write(move |connection| {
            let Some(app_id) = find_app(connection, &names.0, &names.1)? else { return Ok(None) };
            lock_app(connection, &app_id)?;
            query("DELETE FROM repositories WHERE app_id = ?").bind(&app_id).execute(connection)?;
            query(
                "INSERT INTO repositories (app_id, url, token_file, branch, prefix, allows_private, connected_at)
                 VALUES (?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(&app_id)
            .bind(&new.url)
            .bind(&new.token_file)
            .bind(&new.branch)
            .bind(&new.prefix)
            .bind(new.allows_private)
            .bind(now)
            .execute(connection)?;
            look_again(connection, &app_id)?;
            query(
                "UPDATE releases SET commits_due = CASE WHEN number > (
                     SELECT next_release_number FROM apps WHERE apps.id = releases.app_id) - 1 - ? THEN 1 ELSE 0 END
                 WHERE app_id = ?",
            )
            .bind(READ_AGAIN)
            .bind(&app_id)
            .execute(connection)?;
            Ok(Some(app_id))
        })
        .await
    }

    /// Disconnects the repository of an app. Returns the app's id if it had one.
    pub(crate) async fn disconnect_repository(
        &self,
        (organization, app): (&str, &str),
    ) -> Result<Option<String>, StoreError> {
        let names = (organization.to_owned(), app.to_owned());
        self.write(move |connection| {
            let Some(app_id) = find_app(connection, &names.0, &names.1)? else { return Ok(None) };
            lock_app(connection, &app_id)?;
            let removed = query("DELETE FROM repositories WHERE app_id = ?").bind(&app_id).execute(connection)?;
            Ok((removed > 0).then_some(app_id))
        })
        .await
    }

    /// Sets whether new errors of an app are assigned to authors. Returns false if there is no such app.
    pub(crate) async fn set_assigns_authors(
        &self,
        (organization, app): (&str, &str),
        assigns: bool,
    ) -> Result<bool, StoreError> {
        let names = (organization.to_owned(), app.to_owned());
        self.write(move |connection| {
            let Some(app_id) = find_app(connection, &names.0, &names.1)? else { return Ok(false) };
            lock_app(connection, &app_id)?;
            query("UPDATE apps SET assigns_authors = ? WHERE id = ?")
                .bind(assigns)
                .bind(&app_id)
                .execute(connection)?;
            if assigns {
                look_again(connection, &app_id)?;
            }
            Ok(true)
        })
        .await
    }

    /// Returns the repositories of all apps, in the order of the apps' names.
    pub(crate) async fn repositories(&self) -> Result<Vec<RepositoryRow>, StoreError> {
        let rows = query(
            "SELECT repositories.app_id, organizations.short_name AS organization, apps.short_name AS app,
                    repositories.url, repositories.token_file, repositories.branch, repositories.prefix,
                    repositories.allows_private, repositories.connected_at, repositories.last_fetched_at,
                    repositories.last_error, apps.assigns_authors, apps.next_release_number
             FROM repositories
             JOIN apps ON apps.id = repositories.app_id
             JOIN organizations ON organizations.id = apps.organization_id
             ORDER BY organizations.short_name, apps.short_name",
        )
        .read_all(&self.readers)
        .await?;
        rows.iter().map(repository).collect()
    }

    /// Stores the end of a fetch that began at a time, in microseconds since 1970: a failure in words, or none. The
    /// first success after a failure lets the worker look at errors again.
    pub(crate) async fn add_fetch(&self, app_id: &str, now: i64, failure: Option<String>) -> Result<(), StoreError> {
        let app_id = app_id.to_owned();
        self.write(move |connection| {
            lock_app(connection, &app_id)?;
            let select = "SELECT last_fetched_at, last_error FROM repositories WHERE app_id = ?";
            let Some(row) = query(select).bind(&app_id).fetch_optional(connection)? else { return Ok(()) };
            let is_first = row.try_get::<Option<i64>, _>("last_fetched_at")?.is_none();
            let had_failed = !row.try_get::<&str, _>("last_error")?.is_empty();
            query(
                "UPDATE repositories SET last_tried_at = ?2, last_error = ?3,
                     last_fetched_at = CASE WHEN ?3 = '' THEN ?2 ELSE last_fetched_at END
                 WHERE app_id = ?1",
            )
            .bind(&app_id)
            .bind(now)
            .bind(failure.as_deref().unwrap_or_default())
            .execute(connection)?;
            if failure.is_none() && (is_first || had_failed) {
                look_again(connection, &app_id)?;
            }
            Ok(())
        })
        .await
    }
}

fn look_again(connection: &mut Connection, app_id: &str) -> Result<(), StoreError> {
    query(LOOK_AGAIN).bind(app_id).execute(connection)?;
    Ok(())
}

fn repository(row: &Row<'_>) -> Result<RepositoryRow, StoreError> {
    let (organization, app): (&str, &str) = (row.try_get("organization")?, row.try_get("app")?);
    Ok(RepositoryRow {
        app_id: row.try_get("app_id")?,
        app: format!("{organization}/{app}"),
        repository: NewRepository {
            url: row.try_get("url")?,
            token_file: row.try_get("token_file")?,
            branch: row.try_get("branch")?,
            prefix: row.try_get("prefix")?,
            allows_private: row.try_get("allows_private")?,
        },
        connected_at: row.try_get("connected_at")?,
        assigns_authors: row.try_get("assigns_authors")?,
        last_fetched_at: row.try_get("last_fetched_at")?,
        last_error: row.try_get("last_error")?,
        newest_release: row.try_get::<i64, _>("next_release_number")? - 1,
    })
}
