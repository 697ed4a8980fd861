//! An actix server that delivers its last interval when it is stopped: by a signal, or by its handle. With the argument
//! `forgetful`, it does not call `shutdown`: its workers then drop the last clones of the agent.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program")]

use std::io;
use std::sync::OnceLock;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpResponse, HttpServer, get, post, web};
use opbeat_actix::{Agent, Opbeat};

#[get("/hello")]
async fn hello() -> &'static str {
    "hello"
}

/// Stops the server. Actix answers the open requests first.
#[post("/stop")]
async fn stop(handle: web::Data<OnceLock<ServerHandle>>) -> HttpResponse {
    if let Some(handle) = handle.get() {
        actix_web::rt::spawn(handle.stop(true));
    }
    HttpResponse::NoContent().finish()
}

#[actix_web::main]
async fn main() -> io::Result<()> {
    let agent = Agent::from_env();
    let handle = web::Data::new(OnceLock::new());
    let (opbeat, stopping) = (Opbeat::new(&agent), handle.clone());
    let app = move || App::new().app_data(stopping.clone()).service(hello).service(stop).wrap(opbeat.clone());
    let server = HttpServer::new(app).bind("127.0.0.1:0")?;
    println!("{}", server.addrs()[0]);
    let server = server.run();
    let _ = handle.set(server.handle());
    if std::env::args().nth(1).as_deref() == Some("forgetful") {
        drop(agent);
        return server.await;
    }

    // Actix stops at Ctrl-C and at SIGTERM by itself.
    server.await?;
    // The server has answered all requests. `shutdown` blocks, so it gets a thread of its own.
    if let Ok(Err(error)) = web::block(move || agent.shutdown(Duration::from_secs(2))).await {
        eprintln!("{error}");
    }
    Ok(())
}
