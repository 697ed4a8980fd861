//! The owner of a call: the application, a dependency or this project.
//!
//! The path of the source file decides, or else the crate at the start of the function's name.

/// Parts of the paths of foreign code: packages that cargo downloaded, and the standard library.
const FOREIGN_PATHS: [&str; 6] =
    ["/registry/src/", "/git/checkouts/", "/rustc/", "/lib/rustlib/src/", "/.rustup/", "/rust/deps/"];

/// Well-known foreign crates, for binaries without debug information.
const FOREIGN_CRATES: [&str; 23] = [
    "actix",
    "alloc",
    "anyhow",
    "axum",
    "backtrace",
    "core",
    "eyre",
    "futures",
    "h2",
    "http",
    "hyper",
    "mio",
    "opbeat",
    "reqwest",
    "rustc",
    "rustls",
    "serde",
    "sqlx",
    "std",
    "tokio",
    "tonic",
    "tower",
    "tracing",
];

/// The crates of this project, which are on every stack.
const OURS: [&str; 5] = ["opbeat_core", "opbeat_tower", "opbeat_axum", "opbeat_actix", "opbeat_instrument"];

/// Returns whether a call is the application's own code.
pub(super) fn is_application(function: &str, path: &str) -> bool {
    if path.is_empty() {
        return !is_foreign_crate(function);
    }
    let path = path.replace('\\', "/");
    path.ends_with(".rs") && !is_foreign_path(&path) && !is_ours(function, &path)
}

/// Returns whether a source file is foreign code.
pub(super) fn is_foreign_path(path: &str) -> bool {
    FOREIGN_PATHS.iter().any(|part| path.contains(part)) || path.starts_with("library/") || is_vendored(path)
}

/// Returns whether a call is in the core or in an adapter, whatever the path of their source.
pub(super) fn is_ours(function: &str, path: &str) -> bool {
    is_of(&OURS, function, path)
}

/// Returns whether a call is in one of these crates. The name of an inlined call often has no path, so that both the
/// file and the name are checked.
pub(super) fn is_of(crates: &[&str], function: &str, path: &str) -> bool {
    let package = package(path).map(|package| package.replace('-', "_"));
    package.as_deref().or_else(|| crate_of(function)).is_some_and(|krate| crates.contains(&krate))
        || crate_of(function).is_some_and(|krate| crates.contains(&krate))
}

/// Returns the package of a source file, without its version: `sqlx-core`.
fn package(path: &str) -> Option<&str> {
    let (folder, _) = path.rsplit_once("/src/")?;
    let package = folder.rsplit('/').next()?;
    let version =
        package.match_indices('-').rfind(|(at, _)| package[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
    Some(version.map_or(package, |(at, _)| &package[..at]))
}

/// Returns whether `cargo vendor` copied a source file. An application may have a folder `vendor` of its own, so that
/// the package's `src` must follow.
fn is_vendored(path: &str) -> bool {
    path.match_indices("/vendor/").any(|(at, marker)| {
        let package = path[at + marker.len()..].split_once('/');
        package.is_some_and(|(name, rest)| name != "src" && rest.starts_with("src/"))
    })
}

/// Returns the crate at the start of a function's name. In `<F as axum::handler::Handler>::call` it is the crate of the
/// trait, because `F` may be any type.
fn crate_of(function: &str) -> Option<&str> {
    let name = function.trim_start_matches(['<', '_', '&', '(', '[', '*']);
    let name = ["mut ", "dyn ", "const "].iter().find_map(|word| name.strip_prefix(word)).unwrap_or(name);
    if let Some((of, as_trait)) = name.split_once(" as ")
        && !of.contains("::")
    {
        return crate_of(as_trait);
    }
    let end = name.find(|c: char| !(c.is_alphanumeric() || c == '_'))?;
    name[end..].starts_with("::").then(|| &name[..end])
}

fn is_foreign_crate(function: &str) -> bool {
    let Some(krate) = crate_of(function) else { return true };
    let is_part_of =
        |foreign: &str| krate.strip_prefix(foreign).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'));
    FOREIGN_CRATES.iter().any(|foreign| is_part_of(foreign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_decides_whose_code_a_call_is() {
        let cases = [
            ("shop::cart::buy", "/srv/shop/src/cart.rs", true),
            ("{async_fn#0}", "/srv/shop/src/cart.rs", true),
            ("shop::vendor::list", "/srv/shop/src/vendor/orders/list.rs", true),
            ("vendor::list", "/usr/src/shop/crates/vendor/src/list.rs", true),
            ("sqlx_core::query", "/home/ada/.cargo/registry/src/index-1/sqlx-core-0.9.0/src/query.rs", false),
            ("sqlx_core::query", "/opt/rust/registry/src/index-1/sqlx-core-0.9.0/src/query.rs", false),
            ("sqlx_core::query", "/opt/rust/git/checkouts/sqlx-1/abc/sqlx-core/src/query.rs", false),
            ("sqlx_core::query", "/app/vendor/sqlx-core/src/query.rs", false),
            ("core::option::Option<T>::unwrap", "/rustc/59807616e/library/core/src/option.rs", false),
            ("map", "/opt/toolchains/stable/lib/rustlib/src/rust/library/core/src/option.rs", false),
            ("opbeat_tower::future", "/srv/opbeat/opbeat-tower/src/future.rs", false),
            ("from<shop::CartError>", "/srv/opbeat/opbeat-axum/src/error.rs", false),
            ("start_thread", "./nptl/pthread_create.c", false),
        ];
        for (function, path, expected) in cases {
            assert_eq!(is_application(function, path), expected, "{function} in {path:?}");
        }
    }

    #[test]
    fn without_a_path_the_crate_name_decides() {
        let cases = [
            ("shop::cart::buy", true),
            ("<shop::cart::Cart as core::future::future::Future>::poll", true),
            ("<&mut shop::cart::Cart as core::fmt::Display>::fmt", true),
            ("<F as axum::handler::Handler<((),),S>>::call", false),
            ("<alloc::boxed::Box<F,A> as core::ops::function::FnOnce<Args>>::call_once", false),
            ("tokio::runtime::task", false),
            ("<std::sys::thread::unix::Thread>::new::thread_start", false),
            ("__libc_start_main", false),
        ];
        for (function, expected) in cases {
            assert_eq!(is_application(function, ""), expected, "{function}");
        }
    }
}
