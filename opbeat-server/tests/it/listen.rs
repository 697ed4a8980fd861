//! The addresses that the server listens on.

use opbeat_server::{Server, ServerConfig};
use reqwest::StatusCode;

use crate::running::{Running, local_url};

async fn is_reached(url: &str) -> bool {
    reqwest::get(format!("{url}/healthz")).await.is_ok_and(|response| response.status() == StatusCode::OK)
}

#[tokio::test]
async fn the_unspecified_address_of_ipv6_includes_ipv4() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(ServerConfig::new(folder.path(), "[::]:0".parse().unwrap())).await.unwrap();
    let port = server.address().port();
    assert_eq!(server.url(), format!("http://[::1]:{port}"));
    assert!(server.sign_in_url().starts_with(&format!("http://[::1]:{port}/sign-in?token=")));
    assert!(is_reached(&server.url()).await);
    assert!(is_reached(&format!("http://127.0.0.1:{port}")).await);
    let app = server.create_app("acme", "shop").await.unwrap();
    let errors = format!("{}/api/v1/organizations/{}/apps/{}/errors/", server.url(), app.organization_id, app.app_id);
    let request = reqwest::Client::new().post(errors).bearer_auth(&app.secret_token).body(r#"{"message": "a"}"#);
    let answer = request.send().await.unwrap();
    let location = answer.headers()["location"].to_str().unwrap();
    assert!(location.starts_with(&format!("http://[::1]:{port}/acme/shop/errors/by-id/")), "{location}");
}

#[tokio::test]
async fn a_server_listens_on_several_addresses() {
    let running = Running::start_with(|config| {
        config.listen = vec!["127.0.0.1:0".parse().unwrap(), "[::1]:0".parse().unwrap()];
    })
    .await;
    let [first, second] = running.server.addresses() else { panic!("{:?}", running.server.addresses()) };
    assert_eq!(running.server.url(), format!("http://{first}"));
    assert!(is_reached(&local_url(&running.server)).await);
    assert!(is_reached(&format!("http://{second}")).await);
    // The same port of both versions of IP belongs to one server too.
    let port = first.port();
    let folder = tempfile::tempdir().unwrap();
    let mut config = ServerConfig::new(folder.path(), format!("[::1]:{port}").parse().unwrap());
    config.listen.push(*second);
    let error = Server::start(config).await.unwrap_err().to_string();
    assert_eq!(
        error,
        format!("cannot listen on {second}; choose another address with --listen, or stop the program that uses it")
    );
}
