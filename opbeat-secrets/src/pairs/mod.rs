//! Name–value pairs in any text, and the values of secret names among them.

mod markup;
mod name;
mod not_secret;
mod quotes;
mod url;
mod value;
mod walk;
mod wrapper;

pub(super) use walk::scrub;
