//! Stacks that spans were started from: agents send each only once a process.

use sqlx::SqliteConnection;

use super::{NewSpanStack, StoreError};

pub(super) async fn write(connection: &mut SqliteConnection, stacks: &[NewSpanStack]) -> Result<(), StoreError> {
    for stack in stacks {
        let frames = serde_json::to_string(&stack.frames).map_err(std::io::Error::from)?;
        sqlx::query("INSERT OR REPLACE INTO span_stacks (app_id, kind, signature, frames) VALUES (?, ?, ?, ?)")
            .bind(&stack.app_id)
            .bind(&stack.kind)
            .bind(&stack.signature)
            .bind(frames)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
