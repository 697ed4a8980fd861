//! HTTPS, with a certificate that changes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use opbeat_server::TlsFiles;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::connections::rest;
use crate::running::{Looks, PATIENCE};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)
}

/// Connects as a client that knows one certificate.
async fn connect(address: &str, certificate: &str, protocols: &[&str]) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(fixture(certificate)).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(address).await?;
    TlsConnector::from(Arc::new(config)).connect("localhost".try_into().unwrap(), stream).await
}

#[tokio::test]
async fn pages_and_agents_use_https() {
    let files = TlsFiles { certificate: fixture("first.crt"), key: fixture("first.key") };
    let folder = tempfile::tempdir().unwrap();
    let mut config = opbeat_server::ServerConfig::new(folder.path(), "127.0.0.1:0".parse().unwrap());
    config.tls = Some(files);
    config.connections.head_timeout = Duration::from_secs(2);
    let server = opbeat_server::Server::start(config).await.unwrap();
    let address = server.address().to_string();
    assert_eq!(server.url(), format!("https://{address}"));

    let mut stream = connect(&address, "first.crt", &["http/1.1"]).await.unwrap();
    let path = server.sign_in_url().replace(&server.url(), "");
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 303 See Other\r\n"), "{answer}");
    assert!(answer.contains("__Host-opbeat_session=") && answer.contains("; Secure; Path=/;"), "{answer}");

    let stream = connect(&address, "first.crt", &["h2", "http/1.1"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    assert!(connect(&address, "second.crt", &[]).await.is_err(), "a client that knows another certificate");

    // A client that does not complete its handshake is not waited for.
    let mut silent = TcpStream::connect(&address).await.unwrap();
    assert_eq!(rest(&mut silent).await, "");
}

/// The address of the listener is not a name in the certificate.
#[tokio::test]
async fn probes_reach_the_server_itself_by_https() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = opbeat_server::ServerConfig::new(folder.path(), "127.0.0.1:0".parse().unwrap());
    config.tls = Some(TlsFiles { certificate: fixture("first.crt"), key: fixture("first.key") });
    config.probe.interval = Some(Duration::from_millis(50));
    let server = opbeat_server::Server::start(config).await.unwrap();
    let address = server.address().to_string();
    let mut looks = Looks::new();
    loop {
        let mut stream = connect(&address, "first.crt", &["http/1.1"]).await.unwrap();
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        tokio::time::timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
        if answer.contains(r#""probe":{"state":"ok""#) {
            break;
        }
        looks.next(&answer).await;
    }
}

#[tokio::test]
async fn a_certificate_is_refused_without_its_key() {
    let cases = [
        ("first.crt", "second.key", "they must belong together"),
        ("first.key", "first.key", "contains no certificate in PEM"),
        ("first.crt", "first.crt", "contains no private key in PEM"),
        ("none.crt", "first.key", "none.crt; check the path and the permissions"),
    ];
    for (certificate, key, message) in cases {
        let folder = tempfile::tempdir().unwrap();
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_opbeat"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder.path())
            .arg("--tls-cert")
            .arg(fixture(certificate))
            .arg("--tls-key")
            .arg(fixture(key))
            .output()
            .unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains(message), "{certificate}, {key}: {error}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_changed_certificate_is_used_after_a_signal_and_a_broken_one_is_not() {
    use std::process::{Command, Stdio};

    use crate::process::start;

    let folder = tempfile::tempdir().unwrap();
    let [certificate, key, log] = ["crt", "key", "log"].map(|name| folder.path().join(name));
    let copy = |name: &str| {
        std::fs::copy(fixture(&format!("{name}.crt")), &certificate).unwrap();
        std::fs::copy(fixture(&format!("{name}.key")), &key).unwrap();
    };
    copy("first");
    let mut command = Command::new(env!("CARGO_BIN_EXE_opbeat"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(folder.path());
    command.arg("--tls-cert").arg(&certificate).arg("--tls-key").arg(&key);
    let (mut child, url) = start(command.stderr(Stdio::from(std::fs::File::create(&log).unwrap())));
    let address = url.strip_prefix("https://").expect("the first line shows the scheme");
    let hang_up = || assert!(Command::new("kill").args(["-HUP", &child.id().to_string()]).status().unwrap().success());
    connect(address, "first.crt", &[]).await.unwrap();

    std::fs::write(&certificate, "-----BEGIN CERTIFICATE-----\nbroken").unwrap();
    hang_up();
    let mut looks = Looks::new();
    while !std::fs::read_to_string(&log).unwrap().contains("the changed certificate is not used") {
        looks.next(std::fs::read_to_string(&log).unwrap()).await;
    }
    connect(address, "first.crt", &[]).await.unwrap();

    copy("second");
    hang_up();
    while connect(address, "second.crt", &[]).await.is_err() {
        looks.next(std::fs::read_to_string(&log).unwrap()).await;
    }
    assert!(connect(address, "first.crt", &[]).await.is_err());
    child.kill().unwrap();
    child.wait().unwrap();
}
