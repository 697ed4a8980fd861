//! Names for late work, after the code that it runs.

use std::any::type_name;
use std::fmt;
use std::panic::Location;

/// The name of the function that a future or a closure is written in, such as `shop::orders::place`. If its type does
/// not contain that name, it is the file and line of the call that received it.
#[derive(Clone, Copy)]
pub(in crate::transaction) struct CodeName {
    full: &'static str,
    caller: &'static Location<'static>,
}

impl CodeName {
    /// Names a future or a closure after its type, or else after the line of the call.
    #[track_caller]
    pub(in crate::transaction) fn of<F>() -> Self {
        Self { full: type_name::<F>(), caller: Location::caller() }
    }
}

impl fmt::Display for CodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match function(self.full).or_else(|| path(self.full)) {
            Some(name) => f.write_str(&name),
            None => write!(f, "{}:{}", self.caller.file(), self.caller.line()),
        }
    }
}

/// Finds the function that an `async` block or a closure is written in, inside of the types that wrap it.
fn function(full: &str) -> Option<String> {
    let (before, _) = full.split_once("::{{closure}}")?;
    let mut depth = 0_usize;
    // The name ends at `::{{closure}}` and is searched backwards. An opening bracket without its closing one belongs to
    // a wrapper, so the name starts after it.
    let is_start = |&(_, character): &(usize, char)| {
        match character {
            '>' => depth += 1,
            '<' if depth > 0 => depth -= 1,
            '<' | '(' | '[' | '&' => return true,
            ' ' | ',' => return depth == 0,
            _ => {}
        }
        false
    };
    let start = before.char_indices().rev().find(is_start).map_or(0, |(index, bracket)| index + bracket.len_utf8());
    Some(plain(&before[start..]))
}

/// Returns the path of a type, unless it is a wrapper of the standard library or a runtime, whose name says nothing
/// about the work.
fn path(full: &str) -> Option<String> {
    const WRAPPERS: [&str; 6] = ["core::", "alloc::", "std::", "tokio::", "futures_util::", "opbeat_core::"];
    let name = full.split('<').next().unwrap_or(full);
    let is_path =
        name.contains("::") && name.chars().all(|character| character.is_alphanumeric() || "_:".contains(character));
    (is_path && !WRAPPERS.iter().any(|wrapper| name.starts_with(wrapper))).then(|| name.to_owned())
}

/// Removes generic arguments, and the trait of `<Type as Trait>::function`.
fn plain(path: &str) -> String {
    let own = path.strip_prefix('<').and_then(|path| path.split_once(" as "));
    let Some((own, of_trait)) = own else { return without_arguments(path) };
    let function = of_trait.rsplit_once(">::").map_or("", |(_, function)| function);
    format!("{}::{}", without_arguments(own), without_arguments(function))
}

fn without_arguments(path: &str) -> String {
    let mut depth = 0_usize;
    let is_name = |&character: &char| {
        match character {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            _ => return depth == 0,
        }
        false
    };
    path.chars().filter(is_name).collect::<String>().replace("::::", "::")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrapped_closure_is_named_after_its_function() {
        let cases = [
            ("shop::orders::place::{{closure}}", "shop::orders::place"),
            ("shop::orders::place<alloc::string::String>::{{closure}}::{{closure}}", "shop::orders::place"),
            (
                "opbeat_core::transaction::futures::in_span::InSpan<shop::orders::place::{{closure}}>",
                "shop::orders::place",
            ),
            ("core::pin::Pin<alloc::boxed::Box<shop::place::{{closure}}>>", "shop::place"),
            ("futures_util::future::Map<tokio::time::Sleep, shop::place::{{closure}}>", "shop::place"),
            ("<shop::Cart<u8> as shop::Worker<u8>>::run::{{closure}}", "shop::Cart::run"),
            ("opbeat_core::task::InSpan<<shop::Cart as shop::Worker>::run::{{closure}}>", "shop::Cart::run"),
        ];
        for (full, name) in cases {
            assert_eq!(function(full).as_deref(), Some(name), "{full}");
        }
    }

    #[test]
    fn trait_objects_and_pointers_have_no_name() {
        let unnamed = [
            "core::pin::Pin<alloc::boxed::Box<dyn core::future::future::Future<Output = ()>>>",
            "alloc::boxed::Box<dyn core::ops::function::FnOnce()>",
            "dyn shop::Work",
            "fn()",
        ];
        for full in unnamed {
            assert_eq!(function(full).or_else(|| path(full)), None, "{full}");
        }
        assert_eq!(path("shop::orders::Place<u8>").as_deref(), Some("shop::orders::Place"));
    }
}
