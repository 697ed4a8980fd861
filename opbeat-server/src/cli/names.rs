//! The names of an organization and an app, as commands take them.

/// The names of an organization and one of its apps.
#[derive(Clone, Debug)]
pub(super) struct Names {
    pub(super) organization: String,
    pub(super) app: String,
}

/// Reads the names, such as `acme/shop`.
pub(super) fn parse_names(names: &str) -> Result<Names, String> {
    let (organization, app) = names.split_once('/').ok_or("name the organization and the app, as in `acme/shop`")?;
    Ok(Names { organization: organization.to_owned(), app: app.to_owned() })
}
