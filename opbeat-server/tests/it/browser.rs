//! Browsers of people: their forms, invitations and sign-ins.

use opbeat_server::Server;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, StatusCode};

use crate::pages::text;
use crate::running::{local_url, session_of};

/// The password of people who joined.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A browser that does not follow redirects, with the cookie of a session.
pub(crate) struct Browser<'a> {
    pub(crate) server: &'a Server,
    pub(crate) client: Client,
    cookie: String,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(server: &'a Server, cookie: impl Into<String>) -> Self {
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        Self { server, client, cookie: cookie.into() }
    }

    fn request(&self, request: RequestBuilder) -> RequestBuilder {
        request.header("cookie", &self.cookie).header("user-agent", "test browser")
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request(self.client.get(format!("{}{path}", local_url(self.server)))).send().await.unwrap()
    }

    pub(crate) async fn page(&self, path: &str) -> String {
        let response = self.get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.text().await.unwrap()
    }

    pub(crate) fn form(&self, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let request = self.client.post(format!("{}{path}", local_url(self.server)));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        self.request(request.body(pairs.join("&")))
    }

    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        self.form(path, fields).send().await.unwrap()
    }

    /// Posts a form that is accepted, which leads to another page.
    pub(crate) async fn change(&self, path: &str, fields: &[(&str, &str)]) {
        let response = self.post(path, fields).await;
        let status = response.status();
        assert_eq!(status, StatusCode::SEE_OTHER, "{path} {fields:?}: {}", response.text().await.unwrap());
    }

    /// Posts a form that is refused, and returns the text of the page.
    pub(crate) async fn refused(&self, path: &str, fields: &[(&str, &str)], status: StatusCode) -> String {
        let response = self.post(path, fields).await;
        assert_eq!(response.status(), status, "{path} {fields:?}");
        text(&response.text().await.unwrap())
    }

    /// Invites a person to an organization, and returns the path of the invitation.
    pub(crate) async fn invite(&self, organization: &str, email: &str, role: &str) -> String {
        let path = format!("/{organization}/people/");
        let response = self.post(&path, &[("action", "invite"), ("email", email), ("role", role)]).await;
        assert_eq!(response.status(), StatusCode::OK);
        let page = response.text().await.unwrap();
        let path = page.split_once("/invitations/").unwrap_or_else(|| panic!("{page}")).1;
        format!("/invitations/{}", path.split_once('<').unwrap().0)
    }
}

/// Signs in with a password.
pub(crate) async fn sign_in(server: &Server, email: &str, password: &str) -> Response {
    Browser::new(server, "").post("/sign-in", &[("email", email), ("password", password)]).await
}

/// Invites a person, and returns the browser in which the person accepted.
pub(crate) async fn join<'a>(owner: &Browser<'a>, organization: &str, name: &str, role: &str) -> Browser<'a> {
    let invitation = owner.invite(organization, &format!("{name}@acme.example"), role).await;
    let visitor = Browser::new(owner.server, "");
    let joined = visitor.post(&invitation, &[("name", name), ("password", PASSWORD)]).await;
    Browser::new(owner.server, session_of(&joined))
}

/// Returns the path of a member's page.
pub(crate) async fn member(browser: &Browser<'_>, name: &str) -> String {
    let page = browser.page("/acme/people/").await;
    let link = page.split(&format!("\">{name}</a>")).next().unwrap();
    link.rsplit_once("href=\"").unwrap().1.to_owned()
}

/// Returns the address that a response leads to.
pub(crate) fn location(response: &Response) -> &str {
    response.headers()["location"].to_str().unwrap()
}
