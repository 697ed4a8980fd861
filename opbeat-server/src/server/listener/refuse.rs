//! The answer to a connection for which there is no room.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// The most connections that are refused at a time. Further ones are closed without an answer.
const MAX_REFUSED: usize = 32;

/// The longest time that a refused connection stays open.
const MAX_TIME: Duration = Duration::from_secs(1);

/// The most bytes of a refused request that are read. A connection that is closed with unread bytes is reset, and its
/// client may not see the answer.
const MAX_READ: usize = 16 << 10;

const ANSWER: &str = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Type: application/json\r\n\
    Content-Length: 80\r\nConnection: close\r\n\r\n\
    {\"status\":503,\"error_message\":\"The server has too many connections. Try again.\"}";

/// Refuses connections.
#[derive(Clone, Debug)]
pub(super) struct Refuser {
    places: Arc<Semaphore>,
    is_tls: bool,
}

impl Refuser {
    pub(super) fn new(is_tls: bool) -> Self {
        Self { places: Arc::new(Semaphore::new(MAX_REFUSED)), is_tls }
    }

    /// Answers with 503 and closes the connection. With TLS, an answer would need the handshake, so there is none.
    pub(super) fn refuse(&self, stream: TcpStream) {
        if self.is_tls {
            return;
        }
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            tokio::spawn(async move {
                // Without the client's request, or after an error, the connection is closed nevertheless.
                let _ = tokio::time::timeout(MAX_TIME, answer(stream)).await;
                drop(place);
            });
        }
    }
}

async fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut request = vec![0; MAX_READ];
    if stream.read(&mut request).await? == 0 {
        return Ok(());
    }
    stream.write_all(ANSWER.as_bytes()).await?;
    stream.shutdown().await?;
    // The client closes the connection after it has read the answer.
    while stream.read(&mut request).await? > 0 {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::ANSWER;

    #[test]
    fn the_answer_has_its_length() {
        let (head, body) = ANSWER.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{}", body.len());
    }
}
