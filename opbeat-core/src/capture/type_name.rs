//! Names of types, as a person would say them.

/// A type's name without generic arguments, and the module that defines it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TypeName {
    pub(super) name: String,
    pub(super) module: Option<String>,
}

/// Names the type of an error.
///
/// Where only `dyn Error` is known, the type is gone; then the first word of its `Debug` output has to do, which derived
/// implementations begin with the name of the struct or the variant.
pub(super) fn of<E: std::error::Error + ?Sized>(error: &E) -> TypeName {
    let full = std::any::type_name::<E>();
    if full.starts_with("dyn ") { TypeName { name: from_debug(error), module: None } } else { split(full) }
}

/// Splits `shop::cart::CartError<u8>` into `CartError` and `shop::cart`.
pub(super) fn split(full: &str) -> TypeName {
    let bare = full.split('<').next().unwrap_or(full);
    match bare.rsplit_once("::") {
        Some((module, name)) => TypeName { name: name.to_owned(), module: Some(module.to_owned()) },
        None => TypeName { name: bare.to_owned(), module: None },
    }
}

/// Returns the first word of an error's `Debug` output, or `Error` if that is not the name of a type or variant.
pub(super) fn from_debug<E: std::error::Error + ?Sized>(error: &E) -> String {
    let mut word = FirstWord::default();
    // Writing stops at the first character that is no part of a name, which is no failure.
    let _ = std::fmt::write(&mut word, format_args!("{error:?}"));
    if word.name.starts_with(|first: char| first.is_ascii_uppercase()) { word.name } else { "Error".to_owned() }
}

/// Keeps a name, and refuses what comes after it: `Debug` output can be long.
#[derive(Default)]
struct FirstWord {
    name: String,
}

impl std::fmt::Write for FirstWord {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        const LONGEST: usize = 100;
        for character in text.chars() {
            if !(character.is_ascii_alphanumeric() || character == '_') || self.name.len() >= LONGEST {
                return Err(std::fmt::Error);
            }
            self.name.push(character);
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
        assert_eq!(split("str").module, None);
    }

    #[test]
    fn behind_dyn_the_debug_output_has_to_do() {
        let parse: Box<dyn std::error::Error> = Box::new("x".parse::<u32>().unwrap_err());
        assert_eq!(of(&*parse).name, "ParseIntError");
        let text: Box<dyn std::error::Error> = "no more books".into();
        assert_eq!(of(&*text).name, "Error", "a string quotes itself");
    }
}
