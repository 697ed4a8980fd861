//! The actix service: prices of books.

use std::net::SocketAddr;
use std::time::Duration;

use actix_web::{App, HttpServer, error, get, web};
use opbeat_actix::Opbeat;
use opbeat_core::Agent;
use opbeat_instrument::moka::future::Cache;
use tokio::sync::oneshot;

use crate::BoxError;

/// The prices that were looked up. There is no price for unknown books.
type Prices = Cache<i64, Option<i64>>;

/// Starts the service on a free port, on a thread with actix's own runtime.
pub(crate) async fn start(agent: &Agent) -> Result<SocketAddr, BoxError> {
    let agent = agent.clone();
    let (ready, address) = oneshot::channel();
    std::thread::Builder::new()
        .name("prices".to_owned())
        .spawn(move || actix_web::rt::System::new().block_on(serve(agent, ready)))?;
    Ok(address.await??)
}

async fn serve(agent: Agent, ready: oneshot::Sender<std::io::Result<SocketAddr>>) {
    let prices: web::Data<Prices> = web::Data::new(Cache::new(moka::future::Cache::builder().name("prices").build()));
    let app = move || App::new().wrap(Opbeat::new(&agent)).app_data(prices.clone()).service(price);
    let server = HttpServer::new(app).workers(1).disable_signals().bind("127.0.0.1:0");
    match server {
        Ok(server) => {
            // The receiver is gone only if the program is already ending.
            let _ = ready.send(Ok(server.addrs()[0]));
            let _ = server.run().await;
        }
        Err(error) => {
            let _ = ready.send(Err(error));
        }
    }
}

#[get("/prices/{book}")]
async fn price(prices: web::Data<Prices>, book: web::Path<i64>) -> actix_web::Result<String> {
    let price = prices.get_with(*book, look_up(*book)).await;
    price.map(|cents| cents.to_string()).ok_or_else(|| error::ErrorNotFound("no such book"))
}

async fn look_up(book: i64) -> Option<i64> {
    tokio::time::sleep(Duration::from_micros(delay(book))).await;
    (book > 0).then_some(899 + book * 100)
}

/// Some books take longer than others.
fn delay(book: i64) -> u64 {
    300 + 400 * book.unsigned_abs().rem_euclid(5)
}
