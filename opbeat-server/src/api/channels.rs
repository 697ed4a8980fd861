//! The channels of an app, to which notifications are posted.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::Reader;
use super::problem::Problem;
use crate::notify::ChannelChange;
use crate::query::{AppIdentity, Channel};

/// The channels of an app.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ChannelList {
    /// All channels, in the order in which they were added.
    channels: Vec<Channel>,
}

/// A new channel.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewChannel {
    /// `webhook`, `slack`, `ntfy` or `pushover`.
    kind: String,
    /// The name, of at most 100 characters.
    name: String,
    /// The URL that messages are posted to. Pushover needs none. No answer contains it.
    #[serde(default)]
    target: String,
    /// The access token of ntfy, or the token of the application, a space, and the key of the user of Pushover. No answer
    /// contains it.
    #[serde(default)]
    token: String,
    /// `important` (the default) for new errors and those that happen again, or `all`.
    activities: Option<String>,
}

/// A channel that was added.
#[derive(Serialize, ToSchema)]
pub(super) struct AddedChannel {
    /// The channel.
    #[serde(flatten)]
    channel: Channel,
    /// The key of the signatures of a webhook. No other answer contains it.
    key: Option<String>,
}

/// A change of a channel. Fields that are missing stay as they are.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangedChannel {
    /// The new name.
    name: Option<String>,
    /// The new URL. If the channel has a token, send that as well: a token goes to no other place than the one it was sent
    /// for.
    target: Option<String>,
    /// The new token.
    token: Option<String>,
    /// `important` or `all`.
    activities: Option<String>,
}

/// Lists the channels of an app.
#[utoipa::path(
    get,
    path = "/api/v2/organizations/{organization}/apps/{app}/channels/",
    operation_id = "list_channels",
    tag = "channels",
    params(("organization" = String, Path), ("app" = String, Path)),
    responses((status = 200, body = ChannelList)),
)]
pub(super) async fn list(
    reader: Reader,
    Path((organization, app)): Path<(String, String)>,
) -> Result<Json<ChannelList>, Problem> {
    let app = reader.app(&organization, &app).await?;
    let channels = reader.query.channel_views(&app, &reader.rights).await?;
    Ok(Json(ChannelList { channels }))
}

/// Adds a channel to an app. The token needs `--manage`.
#[utoipa::path(
    post,
    path = "/api/v2/organizations/{organization}/apps/{app}/channels/",
    operation_id = "add_channel",
    tag = "channels",
    params(("organization" = String, Path), ("app" = String, Path)),
    request_body = NewChannel,
    responses((status = 201, body = AddedChannel)),
)]
pub(super) async fn add(
    reader: Reader,
    Path((organization, app)): Path<(String, String)>,
    Json(new): Json<NewChannel>,
) -> Result<(StatusCode, Json<AddedChannel>), Problem> {
    let app = reader.app(&organization, &app).await?;
    let activities = new.activities.as_deref().unwrap_or("important");
    let added = reader.app_channels(&app)?.add((&new.kind, activities), (&new.name, &new.target, &new.token)).await?;
    let channel = find(&reader, &app, added.id).await?;
    Ok((StatusCode::CREATED, Json(AddedChannel { channel, key: added.key })))
}

/// Changes a channel of an app. The token needs `--manage`.
#[utoipa::path(
    patch,
    path = "/api/v2/organizations/{organization}/apps/{app}/channels/{channel}/",
    operation_id = "change_channel",
    tag = "channels",
    params(("organization" = String, Path), ("app" = String, Path), ("channel" = i64, Path)),
    request_body = ChangedChannel,
    responses((status = 200, body = Channel)),
)]
pub(super) async fn change(
    reader: Reader,
    Path((organization, app, channel)): Path<(String, String, i64)>,
    Json(ChangedChannel { name, target, token, activities }): Json<ChangedChannel>,
) -> Result<Json<Channel>, Problem> {
    let app = reader.app(&organization, &app).await?;
    reader.app_channels(&app)?.change(channel, ChannelChange { name, target, token, activities }).await?;
    Ok(Json(find(&reader, &app, channel).await?))
}

/// Removes a channel of an app, with the messages that wait for it. The token needs `--manage`.
#[utoipa::path(
    delete,
    path = "/api/v2/organizations/{organization}/apps/{app}/channels/{channel}/",
    operation_id = "remove_channel",
    tag = "channels",
    params(("organization" = String, Path), ("app" = String, Path), ("channel" = i64, Path)),
    responses((status = 204, description = "The channel was removed.")),
)]
pub(super) async fn remove(
    reader: Reader,
    Path((organization, app, channel)): Path<(String, String, i64)>,
) -> Result<StatusCode, Problem> {
    let app = reader.app(&organization, &app).await?;
    reader.app_channels(&app)?.remove(channel).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends a message to test a channel. The list shows the result. The token needs `--manage`.
#[utoipa::path(
    post,
    path = "/api/v2/organizations/{organization}/apps/{app}/channels/{channel}/test/",
    operation_id = "test_channel",
    tag = "channels",
    params(("organization" = String, Path), ("app" = String, Path), ("channel" = i64, Path)),
    responses((status = 202, description = "The message will be sent.")),
)]
pub(super) async fn test(
    reader: Reader,
    Path((organization, app, channel)): Path<(String, String, i64)>,
) -> Result<StatusCode, Problem> {
    let app = reader.app(&organization, &app).await?;
    reader.app_channels(&app)?.test(channel).await?;
    Ok(StatusCode::ACCEPTED)
}

async fn find(reader: &Reader, app: &AppIdentity, id: i64) -> Result<Channel, Problem> {
    let channels = reader.query.channel_views(app, &reader.rights).await?;
    channels.into_iter().find(|channel| channel.id == id).ok_or_else(|| Problem::not_found("channel"))
}
