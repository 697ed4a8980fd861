//! The source of a report.

use opbeat_protocol::Timestamp;

/// The source of a report: its app and the headers of its request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    /// The app's id.
    pub(crate) app_id: String,
    /// When the report was received.
    pub(crate) received: Timestamp,
    /// `X-Opbeat-Platform`, such as `lang=python/3.11.7 platform=CPython framework=flask/2.2.5`.
    pub(crate) platform: String,
    /// `User-Agent`, such as `opbeat-nodejs/4.17.0 opbeat-http-client/1.2.2`.
    pub(crate) user_agent: String,
    /// `X-Opbeat-Client`, such as `opbeat-react/v3.4.0`, or an empty string; `None` if no browser sent the report.
    pub(crate) browser_agent: Option<String>,
}

impl Origin {
    /// Returns whether the Python agent sent the report. Before version 3.4, it sent no platform.
    pub(super) fn is_python(&self) -> bool {
        let is_agent = |name: &str| self.user_agent.starts_with(name);
        self.platform.contains("lang=python") || is_agent("opbeat-python/") || is_agent("opbeat/")
    }
}
