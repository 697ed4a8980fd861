//! The frameworks whose examples are run.

use std::fmt;

/// A framework with example applications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framework {
    Axum,
    Actix,
}

pub const ALL: [Framework; 2] = [Framework::Axum, Framework::Actix];

impl Framework {
    /// Returns the name in options and in the output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Axum => "axum",
            Self::Actix => "actix",
        }
    }

    /// Returns the repository that contains the examples.
    pub const fn repository(self) -> &'static str {
        match self {
            Self::Axum => "https://github.com/tokio-rs/axum",
            Self::Actix => "https://github.com/actix/examples",
        }
    }

    /// Returns the tag or the commit whose examples are used. The changes in the table fit these sources only.
    pub const fn revision(self) -> &'static str {
        match self {
            // The examples on axum's main branch may need a version that is not released.
            Self::Axum => "axum-v0.8.9",
            Self::Actix => "afb8bfa56f6e12e29c4f0c3f9467cf92805f6202",
        }
    }

    /// Returns the folder of the repository that contains the examples.
    pub const fn examples(self) -> &'static str {
        match self {
            Self::Axum => "examples",
            Self::Actix => "",
        }
    }

    /// Returns the crate with the layer, which is also its folder in this repository.
    pub const fn layer_crate(self) -> &'static str {
        match self {
            Self::Axum => "opbeat-axum",
            Self::Actix => "opbeat-actix",
        }
    }

    /// Returns the addresses in the examples' sources, as they are written there.
    pub const fn addresses(self) -> &'static [&'static str] {
        match self {
            Self::Axum => &[r#""127.0.0.1:3000""#, r#""0.0.0.0:3000""#],
            Self::Actix => &[r#"("127.0.0.1", 8080)"#],
        }
    }
}

impl fmt::Display for Framework {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
