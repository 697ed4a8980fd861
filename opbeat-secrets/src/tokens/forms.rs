//! The forms of well-known tokens: the text they begin with, the characters that follow, and how many at least.
//!
//! The sources are the vendors' own pages, named above each group. A minimum is below the vendor's length where the
//! prefix alone is certain, since a token may have been cut.

/// The characters of a token after its prefix.
#[derive(Clone, Copy)]
pub(super) enum Characters {
    /// Lower-case hexadecimal digits.
    Hex,
    /// Capital letters and digits.
    Capitals,
    /// Letters, digits, and these others.
    AlphanumericAnd(&'static [u8]),
}

/// The form of a token.
#[derive(Clone, Copy)]
pub(super) struct Form {
    pub(super) prefix: &'static str,
    pub(super) characters: Characters,
    /// The minimum number of characters after the prefix.
    pub(super) min: usize,
    /// Whether the prefix stays, because it contains no secret: the host of a hook.
    pub(super) keeps_prefix: bool,
    /// Whether a digit has to be among the characters, because words can have this form too.
    pub(super) needs_digit: bool,
}

const ALPHANUMERIC: Characters = Characters::AlphanumericAnd(b"");
const URL_SAFE: Characters = Characters::AlphanumericAnd(b"_-");
const DOTTED: Characters = Characters::AlphanumericAnd(b"_-.");
const BASE64: Characters = Characters::AlphanumericAnd(b"+/=_-");
const PATH: Characters = Characters::AlphanumericAnd(b"/_-+");

/// Every known form. Forms that begin with the same three bytes stand together, a longer prefix before a shorter one.
pub(super) const FORMS: &[Form] = &[
    // AWS, "Reference: IAM identifiers, unique ID prefixes"; "Amazon Bedrock API keys".
    form("AKIA", Characters::Capitals, 16),
    form("ASIA", Characters::Capitals, 16),
    form("ABSK", BASE64, 40),
    // Google Cloud, "Manage API keys"; "Using OAuth 2.0 to access Google APIs".
    form("AIza", URL_SAFE, 30),
    form("GOCSPX-", URL_SAFE, 20),
    form("ya29.", DOTTED, 20),
    form("1//0", URL_SAFE, 30),
    // Alibaba Cloud, "Create an AccessKey pair".
    form("LTAI", ALPHANUMERIC, 16).with_digit(),
    // DigitalOcean, "DigitalOcean API: authentication"; "OAuth API".
    form("dop_v1_", Characters::Hex, 16),
    form("doo_v1_", Characters::Hex, 16),
    form("dor_v1_", Characters::Hex, 16),
    // Fly.io, "Access tokens"; PlanetScale, "Service tokens"; Supabase, "Access tokens"; Heroku, "OAuth".
    form("fm1_", BASE64, 30),
    form("fm2_", BASE64, 30),
    form("fo1_", URL_SAFE, 30),
    form("pscale_tkn_", DOTTED, 16),
    form("pscale_pw_", DOTTED, 16),
    form("pscale_oauth_", DOTTED, 16),
    form("sbp_", Characters::Hex, 30),
    form("sb_secret_", URL_SAFE, 16),
    form("HRKU-", URL_SAFE, 20),
    // Databricks, "Personal access token authentication"; HashiCorp, "Vault tokens", "HCP Terraform API tokens".
    form("dapi", Characters::Hex, 32),
    form("hvs.", URL_SAFE, 20),
    form("hvb.", URL_SAFE, 20),
    form("hvr.", URL_SAFE, 20),
    // Tailscale, "Key prefixes"; 1Password, "Service accounts"; Doppler, "Token formats"; Pulumi, "Access tokens".
    form("tskey-", URL_SAFE, 12),
    form("ops_eyJ", URL_SAFE, 20),
    form("dp.pt.", ALPHANUMERIC, 20),
    form("dp.st.", DOTTED, 20),
    form("pul-", Characters::Hex, 32),
    // GitHub, "GitHub's token formats".
    form("ghp_", ALPHANUMERIC, 16),
    form("gho_", ALPHANUMERIC, 16),
    form("ghu_", ALPHANUMERIC, 16),
    form("ghs_", DOTTED, 16),
    form("ghr_", ALPHANUMERIC, 16),
    form("github_pat_", URL_SAFE, 16),
    // GitLab, "Token overview: token prefixes"; Grafana, "Service accounts", "Access policies" (`glsa_`, `glc_`).
    form("glpat-", DOTTED, 12),
    form("glptt-", DOTTED, 12),
    form("gldt-", DOTTED, 12),
    form("glrt-", DOTTED, 12),
    form("glrtr-", DOTTED, 12),
    form("glcbt-", DOTTED, 12),
    form("glc_eyJ", BASE64, 20),
    form("glft-", DOTTED, 12),
    form("glsoat-", DOTTED, 12),
    form("glsa_", URL_SAFE, 20),
    form("glimt-", DOTTED, 12),
    form("glagent-", DOTTED, 12),
    form("gloas-", DOTTED, 12),
    form("GR1348941", URL_SAFE, 16),
    // Atlassian and Bitbucket, "API tokens", "App passwords", "Repository access tokens"; Trello, "Authorization".
    form("ATBB", ALPHANUMERIC, 24),
    form("ATCTT3", Characters::AlphanumericAnd(b"_-="), 24),
    form("ATATT3", Characters::AlphanumericAnd(b"_-="), 24),
    form("ATTA", Characters::Hex, 60),
    // Sourcegraph, "Access tokens"; CircleCI, "Managing API tokens"; Buildkite, "Managing API access tokens".
    form("sgp_", URL_SAFE, 32),
    form("CCIPAT_", URL_SAFE, 20),
    form("CCIPRJ_", URL_SAFE, 20),
    form("bkua_", ALPHANUMERIC, 24),
    // Stripe, "API keys", "Webhook signatures".
    form("sk_live_", ALPHANUMERIC, 10),
    form("sk_test_", ALPHANUMERIC, 10),
    form("rk_live_", ALPHANUMERIC, 10),
    form("rk_test_", ALPHANUMERIC, 10),
    form("whsec_", BASE64, 16),
    // Square, "Access tokens and other credentials"; PayPal, "Authentication"; Braintree, "OAuth"; Facebook, "Access tokens".
    form("sq0atp-", URL_SAFE, 16),
    form("sq0csp-", URL_SAFE, 16),
    form("EAAA", URL_SAFE, 56),
    form("EAACEdEose0cBA", ALPHANUMERIC, 10),
    form("A21AA", URL_SAFE, 50),
    form("access_token$", Characters::AlphanumericAnd(b"$"), 20),
    // Shopify, "Access token formats"; EasyPost, "API keys"; Shippo, "Authentication"; Flutterwave, "API keys".
    form("shpat_", ALPHANUMERIC, 16),
    form("shpca_", ALPHANUMERIC, 16),
    form("shppa_", ALPHANUMERIC, 16),
    form("shpss_", ALPHANUMERIC, 16),
    form("EZAK", ALPHANUMERIC, 50),
    form("EZTK", ALPHANUMERIC, 50),
    form("shippo_live_", Characters::Hex, 16),
    form("shippo_test_", Characters::Hex, 16),
    form("FLWSECK", Characters::AlphanumericAnd(b"_-"), 20),
    // Slack, "Token types", "Sending messages using incoming webhooks"; Zapier, "Webhooks".
    form("xoxa-", URL_SAFE, 10),
    form("xoxb-", URL_SAFE, 10),
    form("xoxc-", URL_SAFE, 10),
    form("xoxd-", Characters::AlphanumericAnd(b"_-%"), 10),
    form("xoxe-", URL_SAFE, 10),
    form("xoxe.", DOTTED, 10),
    form("xoxo-", URL_SAFE, 10),
    form("xoxp-", URL_SAFE, 10),
    form("xoxr-", URL_SAFE, 10),
    form("xoxs-", URL_SAFE, 10),
    form("xapp-", URL_SAFE, 10),
    form("hooks.slack.com/services/", PATH, 10).with_prefix(),
    form("hooks.slack.com/workflows/", PATH, 10).with_prefix(),
    form("hooks.slack.com/triggers/", PATH, 10).with_prefix(),
    form("hooks.zapier.com/hooks/catch/", PATH, 10).with_prefix(),
    // Discord, "Webhook resource"; Microsoft Teams, "Create an incoming webhook".
    form("discord.com/api/webhooks/", PATH, 10).with_prefix(),
    form("discordapp.com/api/webhooks/", PATH, 10).with_prefix(),
    form("webhook.office.com/webhookb2/", Characters::AlphanumericAnd(b"/_-@"), 10).with_prefix(),
    // SendGrid, "API keys"; Mailgun, "API authentication"; Twilio, "API keys"; Brevo, "Authentication"; Mailchimp.
    form("SG.", DOTTED, 20).with_digit(),
    form("key-", Characters::Hex, 32),
    form("SK", Characters::Hex, 32),
    form("xkeysib-", URL_SAFE, 20),
    form("xsmtpsib-", URL_SAFE, 20),
    // npm, "About access tokens"; PyPI, "API tokens"; RubyGems, "API key"; crates.io; Docker Hub, "Access tokens".
    form("npm_", ALPHANUMERIC, 16),
    form("pypi-", URL_SAFE, 30).with_digit(),
    form("rubygems_", Characters::Hex, 16),
    form("cio", ALPHANUMERIC, 32).with_digit(),
    form("dckr_pat_", URL_SAFE, 12),
    form("dckr_oat_", URL_SAFE, 12),
    form("AKCp", ALPHANUMERIC, 50),
    // OpenAI, "API keys"; Anthropic, "Authentication"; Hugging Face, "User access tokens"; Groq; Replicate; xAI.
    form("sk-ant-", URL_SAFE, 12),
    form("sk-proj-", URL_SAFE, 12),
    form("sk-svcacct-", URL_SAFE, 12),
    form("sk-admin-", URL_SAFE, 12).with_digit(),
    form("sk-or-v1-", ALPHANUMERIC, 12),
    form("sk-", ALPHANUMERIC, 16).with_digit(),
    form("hf_", ALPHANUMERIC, 24),
    form("gsk_", ALPHANUMERIC, 24),
    form("r8_", ALPHANUMERIC, 24),
    form("xai-", ALPHANUMERIC, 40),
    // Sentry, "Auth tokens"; New Relic, "API keys"; Dynatrace, "Access tokens"; PostHog.
    form("sntrys_", BASE64, 20),
    form("sntryu_", Characters::Hex, 20),
    form("NRAK-", Characters::Capitals, 20),
    form("NRII-", URL_SAFE, 20),
    form("dt0c01.", DOTTED, 20),
    form("phx_", ALPHANUMERIC, 24),
    // Linear, "API keys"; Notion, "Authorization"; Figma, "Personal access tokens"; Postman, "API keys"; Airtable.
    form("lin_api_", ALPHANUMERIC, 16),
    form("lin_oauth_", ALPHANUMERIC, 16),
    form("ntn_", ALPHANUMERIC, 30),
    form("secret_", ALPHANUMERIC, 40),
    form("figd_", URL_SAFE, 20),
    form("PMAK-", URL_SAFE, 20),
    // age, "The age file encryption format".
    form("AGE-SECRET-KEY-1", Characters::Capitals, 16),
];

const fn form(prefix: &'static str, characters: Characters, min: usize) -> Form {
    Form { prefix, characters, min, keeps_prefix: false, needs_digit: false }
}

impl Form {
    const fn with_digit(self) -> Self {
        Self { needs_digit: true, ..self }
    }

    const fn with_prefix(self) -> Self {
        Self { keeps_prefix: true, ..self }
    }
}

impl Characters {
    /// Returns whether the byte may stand in the token.
    pub(super) const fn contain(self, byte: u8) -> bool {
        match self {
            Self::Hex => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            Self::Capitals => byte.is_ascii_digit() || byte.is_ascii_uppercase(),
            Self::AlphanumericAnd(others) => {
                let (mut at, mut is_other) = (0, false);
                while at < others.len() {
                    is_other |= others[at] == byte;
                    at += 1;
                }
                is_other || byte.is_ascii_alphanumeric()
            }
        }
    }
}
