//! The configuration of notifications.

use std::time::Duration;

use crate::site::Network;

/// The configuration of notifications.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotificationConfig {
    /// The mail server. Without it, no mails are sent.
    pub mail: MailConfig,
    /// The networks with private addresses that channels may lead to: by default none.
    pub allowed_networks: Vec<Network>,
    /// The time between two messages about the same error.
    pub cool_down: Duration,
    /// The number of messages of an app that a receiver gets in an hour.
    pub hourly: u32,
}

/// The mail server, and the sender of mails.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct MailConfig {
    /// The URL of the SMTP server: `smtps://user:password@host` with TLS, `smtp://user:password@host` with STARTTLS.
    ///
    /// Mails are sent without encryption to this machine, and with `?tls=none` at the end of the URL.
    pub server: Option<String>,
    /// The e-mail address that mails are from. Without it, it is `opbeat@` and the host of the public URL.
    pub from: Option<String>,
}

impl Default for NotificationConfig {
    fn default() -> Self {
        Self {
            mail: MailConfig::default(),
            allowed_networks: Vec::new(),
            cool_down: Duration::from_secs(3_600),
            hourly: 60,
        }
    }
}

/// The password of the mail server is hidden.
impl std::fmt::Debug for MailConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let server = self.server.as_deref().map(crate::text::without_password);
        f.debug_struct("MailConfig").field("server", &server).field("from", &self.from).finish()
    }
}

impl std::fmt::Debug for NotificationConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NotificationConfig")
            .field("mail", &self.mail)
            .field("allowed_networks", &self.allowed_networks)
            .field("cool_down", &self.cool_down)
            .field("hourly", &self.hourly)
            .finish()
    }
}
