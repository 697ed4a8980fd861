//! A provider of OpenID Connect: it signs id tokens with a key of its own, and checks what the server sends.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(super) const CLIENT: &str = "opbeat";
pub(super) const SECRET: &str = "the/secret of opbeat";

const KEY: &[u8] = include_bytes!("../../fixtures/openid_connect/signing.key");

/// The public part of the key: `openssl rsa -modulus`, as base64url.
const MODULUS: &str = include_str!("../../fixtures/openid_connect/modulus.txt");

/// The provider. It stops with this value.
pub(super) struct Provider {
    pub(super) url: String,
    pub(super) shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Default)]
pub(super) struct Shared {
    url: String,
    /// Claims of the next tokens, over the usual ones. A claim that is null is left out.
    pub(super) claims: Mutex<Value>,
    pub(super) fault: Mutex<Option<Fault>>,
    codes: Mutex<HashMap<String, Request>>,
}

/// A thing that the provider does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The id token is signed for other claims.
    Signature,
    /// The id token has no signature.
    None,
    /// The id token is signed with a key that is not published under this name.
    UnknownKey,
    /// The provider refuses each code.
    Code,
    /// The endpoint of tokens redirects to another one.
    Redirect,
    /// The answer with the token has more than 1 MiB.
    Large,
    /// The answer with the token has no id token.
    NoIdToken,
}

/// The request of a browser that the server led to the provider.
#[derive(Clone)]
struct Request {
    challenge: String,
    nonce: String,
    redirect: String,
}

impl Provider {
    pub(super) async fn start() -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap()).await
    }

    pub(super) async fn start_at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared { url: url.clone(), claims: Mutex::new(json!({})), ..Shared::default() });
        let app = Router::new()
            .route("/.well-known/openid-configuration", get(describe))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, shared, task }
    }

    /// Sets claims of the next tokens.
    pub(super) fn set(&self, claims: Value) {
        *self.shared.claims.lock().unwrap() = claims;
    }

    pub(super) fn fail(&self, fault: impl Into<Option<Fault>>) {
        *self.shared.fault.lock().unwrap() = fault.into();
    }

    /// Lets the person in who comes with an address that the server made. Returns the address to go back to.
    pub(super) fn let_in(&self, location: &str) -> String {
        let (page, query) = location.split_once('?').unwrap();
        assert_eq!(page, format!("{}/authorize", self.url));
        let pairs: HashMap<String, String> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let expected = [("response_type", "code"), ("client_id", CLIENT), ("code_challenge_method", "S256")];
        assert!(expected.iter().all(|(name, value)| pairs[*name] == *value), "{pairs:?}");
        assert_eq!(pairs["scope"], "openid email profile");
        let mut codes = self.shared.codes.lock().unwrap();
        let code = format!("code {}", codes.len());
        let take = |name: &str| pairs[name].clone();
        let request =
            Request { challenge: take("code_challenge"), nonce: take("nonce"), redirect: take("redirect_uri") };
        codes.insert(code.clone(), request);
        let answer = form_urlencoded::Serializer::new(String::new())
            .append_pair("code", &code)
            .append_pair("state", &pairs["state"])
            .finish();
        format!("{}?{answer}", pairs["redirect_uri"])
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn describe(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let url = &shared.url;
    Json(json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }))
}

async fn keys() -> Json<Value> {
    let key = json!({"kty": "RSA", "kid": "first", "alg": "RS256", "use": "sig", "n": MODULUS.trim(), "e": "AQAB"});
    Json(json!({ "keys": [key] }))
}

async fn token(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: String) -> Response {
    let fault = *shared.fault.lock().unwrap();
    match fault {
        Some(Fault::Redirect) => return Redirect::temporary(&format!("{}/other", shared.url)).into_response(),
        Some(Fault::Large) => return vec![b' '; (1 << 20) + 1].into_response(),
        _ => {}
    }
    let pairs: HashMap<String, String> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    // RFC 6749, section 2.3.1: both parts are encoded as in a form.
    let login = format!("{CLIENT}:{}", form_urlencoded::byte_serialize(SECRET.as_bytes()).collect::<String>());
    let login = format!("Basic {}", base64(login.as_bytes(), STANDARD));
    let is_client = headers["authorization"].to_str().unwrap() == login;
    let request = shared.codes.lock().unwrap().remove(&pairs["code"]);
    let challenge = base64(&Sha256::digest(pairs["code_verifier"].as_bytes()), URL);
    let is_right = |request: &Request| request.challenge == challenge && request.redirect == pairs["redirect_uri"];
    let request = request.filter(|request| is_client && is_right(request) && fault != Some(Fault::Code));
    let Some(request) = request else {
        let refusal = json!({"error": "invalid_grant", "error_description": "unknown code"});
        return (StatusCode::BAD_REQUEST, Json(refusal)).into_response();
    };
    let mut answer = json!({"access_token": "an access token", "token_type": "Bearer", "expires_in": 60});
    if fault != Some(Fault::NoIdToken) {
        answer["id_token"] = json!(id_token(&shared, &request, fault));
    }
    Json(answer).into_response()
}

fn id_token(shared: &Shared, request: &Request, fault: Option<Fault>) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mut claims = json!({
        "iss": shared.url, "sub": "subject of ana", "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": request.nonce,
        "email": "ana@acme.example", "email_verified": true, "name": "Ana",
    });
    for (name, value) in shared.claims.lock().unwrap().as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    let header = match fault {
        Some(Fault::None) => json!({"alg": "none"}),
        Some(Fault::UnknownKey) => json!({"alg": "RS256", "kid": "second"}),
        _ => json!({"alg": "RS256", "kid": "first"}),
    };
    let signed = [header, claims].map(|part| base64(part.to_string().as_bytes(), URL)).join(".");
    let signature = match fault {
        Some(Fault::None) => Vec::new(),
        Some(Fault::Signature) => sign(b"other claims"),
        _ => sign(signed.as_bytes()),
    };
    format!("{signed}.{}", base64(&signature, URL))
}

fn sign(message: &[u8]) -> Vec<u8> {
    let key = any_supported_type(&PrivateKeyDer::from_pem_slice(KEY).unwrap()).unwrap();
    let signer = key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]).unwrap();
    signer.sign(message).unwrap()
}

const STANDARD: (&[u8; 64], bool) = (b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", true);
const URL: (&[u8; 64], bool) = (b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", false);

fn base64(bytes: &[u8], (alphabet, pads): (&[u8; 64], bool)) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().chain(&[0, 0]).take(3).fold(0, |word, byte| word << 8 | usize::from(*byte));
        for index in 0..=chunk.len() {
            text.push(char::from(alphabet[word >> (18 - 6 * index) & 63]));
        }
        text.extend(std::iter::repeat_n('=', if pads { 3 - chunk.len() } else { 0 }));
    }
    text
}
