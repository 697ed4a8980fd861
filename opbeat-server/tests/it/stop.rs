//! Stopping while clients are connected.

#![cfg(unix)]

use std::process::Command;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::connections::{ask, rest, start_sign_in_at};
use crate::process::serve;
use crate::running::{PATIENCE, Running};

#[tokio::test]
async fn a_stop_waits_for_handlers_and_not_for_clients() {
    let running = Running::start_with_file().await;
    let Running { server, folder, read_token, .. } = running;
    server.shut_down().await;
    let (mut child, url) = serve(folder.path());
    let address = url.strip_prefix("http://").unwrap();
    let silent = TcpStream::connect(address).await.unwrap();
    let mut idle = TcpStream::connect(address).await.unwrap();
    assert_eq!(ask(&mut idle, "/healthz").await, "HTTP/1.1 200 OK");
    let mut half_head = TcpStream::connect(address).await.unwrap();
    half_head.write_all(b"POST /sign-in HT").await.unwrap();
    // The server has asked for this body, and gets a part of it.
    let mut half_body = TcpStream::connect(address).await.unwrap();
    let head = "POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n\
                Content-Length: 1000\r\n\r\ntoken=";
    half_body.write_all(head.as_bytes()).await.unwrap();

    // The database is locked, so that this request is handled until the lock is released.
    let database = rusqlite::Connection::open(folder.path().join("opbeat.sqlite")).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut handled = start_sign_in_at(address, &format!("token={read_token}")).await;

    let stopped = Instant::now();
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    while TcpStream::connect(address).await.is_ok() {
        assert!(stopped.elapsed() < PATIENCE, "it still accepts connections");
        tokio::task::yield_now().await;
    }
    for mut connection in [silent, idle, half_head, half_body] {
        assert!(!rest(&mut connection).await.contains("303"));
    }
    database.execute_batch("ROLLBACK").unwrap();
    let answer = rest(&mut handled).await;
    assert!(answer.starts_with("HTTP/1.1 303 See Other\r\n"), "{answer}");
    assert!(child.wait().unwrap().success());
    assert!(stopped.elapsed() < Duration::from_secs(3), "{:?}", stopped.elapsed());
}
