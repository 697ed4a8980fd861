//! Readable names of error types.

use crate::caught::caught_quietly;

/// A type's name without generic arguments, and the module that defines it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TypeName {
    pub(super) name: String,
    pub(super) module: Option<String>,
}

/// Returns the type of an error.
///
/// The type of a `dyn Error` is unknown. Its name is the first word of the `Debug` output: derived implementations
/// start with the name of the struct or the variant.
pub(super) fn of<E: std::error::Error + ?Sized>(error: &E, message: &str) -> TypeName {
    let full = std::any::type_name::<E>();
    if full.starts_with("dyn ") { TypeName { name: from_debug(error, message), module: None } } else { split(full) }
}

/// Returns the type that an error was made from; `None` for a type that can hold any error, or that is not an error.
pub(super) fn of_source<E>() -> Option<TypeName> {
    const HOLDERS: [&str; 7] = [
        "alloc::boxed::Box<dyn ",
        "&",
        "alloc::string::String",
        "alloc::borrow::Cow<",
        "anyhow::",
        "eyre::",
        "color_eyre::",
    ];
    let full = std::any::type_name::<E>();
    (!HOLDERS.iter().any(|holder| full.starts_with(holder))).then(|| split(full))
}

/// Splits `shop::cart::CartError<u8>` into `CartError` and `shop::cart`. It looks inside `Arc`, `Box` and `Rc`.
pub(super) fn split(full: &str) -> TypeName {
    const HOLDERS: [&str; 3] = ["alloc::sync::Arc<", "alloc::boxed::Box<", "alloc::rc::Rc<"];
    let held = HOLDERS.iter().find_map(|holder| full.strip_prefix(holder));
    if let Some(held) = held {
        return split(held.strip_suffix('>').unwrap_or(held));
    }
    let bare = full.split('<').next().unwrap_or(full);
    match bare.rsplit_once("::") {
        Some((module, name)) => TypeName { name: name.to_owned(), module: Some(module.to_owned()) },
        None => TypeName { name: bare.to_owned(), module: None },
    }
}

/// Returns the first word of an error's `Debug` output, or `Error` if that is not the name of a type or variant.
///
/// Some errors write their message as `Debug` output: its first word is not a name. The output is the pretty form, in
/// which `anyhow` and `eyre` write the error that they contain, and neither its message nor a backtrace.
pub(super) fn from_debug<E: std::error::Error + ?Sized>(error: &E, message: &str) -> String {
    let mut start = Start::default();
    // Formatting ends early by an error, which does not matter here.
    caught_quietly(|| std::fmt::write(&mut start, format_args!("{error:#?}")));
    let is_name = start.name.starts_with(|first: char| first.is_ascii_uppercase());
    let goes_on_as_type = start.rest.is_empty() || start.rest.starts_with('(') || start.rest == " {";
    // An error whose `Debug` output is its message may have one word.
    let is_message = start.rest.is_empty() && message == start.name;
    if is_name && goes_on_as_type && !is_message { start.name } else { "Error".to_owned() }
}

/// Keeps a name and the one or two characters after it, then returns an error: `Debug` output can be long, and a value
/// in it may contain a backtrace, which is slow.
#[derive(Default)]
struct Start {
    name: String,
    rest: String,
}

impl std::fmt::Write for Start {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        const LONGEST: usize = 100;
        for character in text.chars() {
            let is_name = self.rest.is_empty() && (character.is_ascii_alphanumeric() || character == '_');
            if is_name { &mut self.name } else { &mut self.rest }.push(character);
            let is_decided = !matches!(self.rest.as_str(), "" | " ");
            if is_decided || self.name.len() >= LONGEST {
                return Err(std::fmt::Error);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_named_without_module_and_arguments() {
        let expected = TypeName { name: "CartError".to_owned(), module: Some("shop::cart".to_owned()) };
        assert_eq!(split("shop::cart::CartError<alloc::string::String>"), expected);
        assert_eq!(split("alloc::sync::Arc<shop::cart::CartError>"), expected);
        assert_eq!(split("str").module, None);
    }

    struct Sentence;

    impl std::fmt::Debug for Sentence {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("Loading the cart failed")
        }
    }

    impl std::fmt::Display for Sentence {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("Loading the cart failed")
        }
    }

    impl std::error::Error for Sentence {}

    #[test]
    fn the_debug_output_names_a_dyn_error() {
        let parse: Box<dyn std::error::Error> = Box::new("x".parse::<u32>().unwrap_err());
        assert_eq!(of(&*parse, "").name, "ParseIntError");
        let struct_like: Box<dyn std::error::Error> = Box::new(std::io::Error::from_raw_os_error(2));
        assert_eq!(of(&*struct_like, "").name, "Os");
        let sentence: Box<dyn std::error::Error> = Box::new(Sentence);
        assert_eq!(of(&*sentence, "").name, "Error", "a message is not a name");
        let text: Box<dyn std::error::Error> = "no more books".into();
        assert_eq!(of(&*text, "").name, "Error", "a string is written in quotes");
    }
}
