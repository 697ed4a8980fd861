//! Name–value pairs in any text, and the values of secret names among them.

mod encoded;
mod markup;
mod name;
mod not_secret;
mod phrase;
mod quotes;
mod url;
mod value;
mod walk;
mod wrapper;

pub(super) use quotes::quoted;
pub(super) use value::is_removable;
pub(super) use walk::scrub;
