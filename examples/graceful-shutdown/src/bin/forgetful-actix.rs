//! An actix server that does not call `shutdown`. Its workers drop the last clones of the agent, on threads that the end
//! of the process stops.

#![expect(clippy::print_stdout, reason = "a program")]

use std::io;
use std::sync::OnceLock;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpResponse, HttpServer, get, post, web};
use opbeat_actix::{Agent, Opbeat};

#[get("/hello")]
async fn hello() -> &'static str {
    "hello"
}

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
    let stopping = handle.clone();
    let app = move || App::new().app_data(stopping.clone()).service(hello).service(stop).wrap(Opbeat::new(&agent));
    let server = HttpServer::new(app).bind("127.0.0.1:0")?;
    println!("{}", server.addrs()[0]);
    let server = server.run();
    let _ = handle.set(server.handle());
    server.await
}
