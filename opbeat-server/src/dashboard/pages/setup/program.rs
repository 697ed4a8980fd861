//! The kinds of applications that have set-up steps.

/// A kind of application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Program {
    Axum,
    Actix,
    Tower,
    Python,
    Node,
    OpenTelemetry,
    Curl,
}

impl Program {
    /// All kinds, in the order of their tabs.
    pub(super) const ALL: [Self; 7] =
        [Self::Axum, Self::Actix, Self::Tower, Self::Python, Self::Node, Self::OpenTelemetry, Self::Curl];

    /// Returns the kind that a query parameter names, or the first one.
    pub(super) fn of(name: Option<&str>) -> Self {
        Self::ALL.into_iter().find(|program| Some(program.name()) == name).unwrap_or(Self::Axum)
    }

    /// Returns the value of the query parameter.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Axum => "axum",
            Self::Actix => "actix",
            Self::Tower => "tower",
            Self::Python => "python",
            Self::Node => "node",
            Self::OpenTelemetry => "otlp",
            Self::Curl => "curl",
        }
    }

    /// Returns the text of the tab.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Axum => "axum",
            Self::Actix => "actix-web",
            Self::Tower => "tower, hyper",
            Self::Python => "Python",
            Self::Node => "Node.js",
            Self::OpenTelemetry => "OpenTelemetry",
            Self::Curl => "curl",
        }
    }
}
