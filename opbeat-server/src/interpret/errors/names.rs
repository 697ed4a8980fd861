//! Names of functions and files, without the parts that change while the code stays the same.

use super::normalise::{normalise_path, random};

/// Returns a function's name without generic arguments, the compiler's hash, and the numbers of generated names.
pub(super) fn function(name: &str) -> String {
    let name = strip_generics(name.trim());
    let name = if name.contains("closure") { one_closure(&name) } else { name };
    let name = if name.bytes().any(|byte| byte.is_ascii_digit()) { without_generated_numbers(&name) } else { name };
    // Compilers of JavaScript end the names of functions that they make with `$`.
    let name = if name.len() > 1 { name.trim_end_matches('$') } else { &name };
    if is_anonymous(name) { "<anonymous>".to_owned() } else { name.to_owned() }
}

/// Returns a path without the parts that change with each release: hashes of bundles and folders of releases.
pub(super) fn file(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    if !path.bytes().any(|byte| byte.is_ascii_digit()) && !is_script(path) {
        return path.replace('\\', "/");
    }
    let path = normalise_path(path);
    let path = match path.split_once("/releases/") {
        // The link `current` points to the folder of the latest release.
        Some((before, after)) => match after.split_once('/') {
            Some((_, inside)) => format!("{before}/current/{inside}"),
            None => path,
        },
        None => path,
    };
    if is_script(&path) { without_bundle_hash(&path) } else { path }
}

/// Returns a culprit as an agent names it, without line numbers, generic arguments and the parts that [`file`] removes.
pub(super) fn culprit(culprit: &str) -> String {
    if culprit.contains(" as ") || culprit.contains("::") || !culprit.contains(['/', ':', ' ']) {
        return function(culprit);
    }
    let Some((path, rest)) = culprit.split_once(":") else {
        // Node.js: `function (file)`.
        return match culprit.split_once(" (") {
            Some((name, path)) => format!("{} ({}", function(name), file(path)),
            None => file(culprit),
        };
    };
    // Ruby: `file:line:in 'function'`. Without a function, the line is all that separates two causes.
    match rest.split_once(':') {
        Some((line, rest)) if line.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("{}:{}", file(path), function(rest))
        }
        _ => format!("{}:{rest}", file(path)),
    }
}

/// Removes generic arguments and the compiler's hash.
pub(super) fn strip_generics(name: &str) -> String {
    if !name.contains('<') && !name.contains("::h") {
        return name.to_owned();
    }
    let mut bare = String::with_capacity(name.len());
    let mut depth = 0_usize;
    for character in name.chars() {
        match character {
            '<' => depth += 1,
            '>' if depth > 0 => depth -= 1,
            _ if depth == 0 => bare.push(character),
            _ => {}
        }
    }
    // The angle brackets of `<Cart as Checkout>::pay` and `Object.<anonymous>` are a part of the name.
    let is_name = name.starts_with('<') || bare.trim_matches([':', '.']).is_empty() || bare.ends_with('.');
    let bare = if is_name { name } else { &bare };
    match bare.rsplit_once("::h") {
        Some((path, hash)) if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => path.to_owned(),
        _ => bare.trim_end_matches("::").to_owned(),
    }
}

/// Replaces several nested closures with one, and removes their numbers.
fn one_closure(name: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in name.split("::") {
        let part = if part.starts_with("{closure") || part.starts_with("{{closure") { "{{closure}}" } else { part };
        if part != "{{closure}}" || parts.last() != Some(&part) {
            parts.push(part);
        }
    }
    parts.join("::")
}

/// Removes the numbers of names that compilers and interpreters make: `lambda_12`, `_callee$3`, `func2.1`,
/// `block (2 levels) in show`.
fn without_generated_numbers(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let bytes = name.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            let end = bytes[at..].iter().position(u8::is_ascii_digit).map_or(bytes.len(), |digits| at + digits);
            out.push_str(&name[at..end]);
            at = end;
            continue;
        }
        let end = bytes[at..].iter().position(|byte| !byte.is_ascii_digit()).map_or(bytes.len(), |rest| at + rest);
        let word_start = out.len() - out.bytes().rev().take_while(u8::is_ascii_alphabetic).count();
        let is_end = bytes.get(end).is_none_or(|byte| !byte.is_ascii_alphanumeric());
        let is_generated = is_end
            && match out[word_start..].chars().next() {
                None => out.ends_with(['_', '$', '.', '(', '#', '@', '-']) || out.ends_with("block ("),
                Some(_) => is_generated_word(&out[word_start..]),
            };
        if is_generated {
            let bare = out.trim_end_matches(['_', '$', '.', '#', '@', '-']).len();
            out.truncate(bare);
        } else {
            out.push_str(&name[at..end]);
        }
        at = end;
    }
    out.replace("block ( levels) in", "block in").replace("()", "")
}

fn is_generated_word(word: &str) -> bool {
    const WORDS: [&str; 10] =
        ["anonymous", "callee", "closure", "fn", "func", "func_literal", "lambda", "loop", "block", "thunk"];
    WORDS.contains(&word)
}

fn is_anonymous(name: &str) -> bool {
    matches!(name, "" | "?" | "anonymous" | "(anonymous)" | "(anonymous function)" | "{anonymous}" | "<unknown>")
}

fn is_script(path: &str) -> bool {
    [".js", ".mjs", ".cjs", ".css", ".map", ".jsx", ".ts", ".tsx"].iter().any(|end| path.ends_with(end))
}

/// Removes the hash from the name of a bundle: `app.3f2a1b.js`, `vendor-4f3c2a1b.chunk.js`, `index-BxKqLmZa.js`.
fn without_bundle_hash(path: &str) -> String {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let mut out = String::with_capacity(path.len());
    if path.contains('/') {
        out.push_str(folder);
        out.push('/');
    }
    let last = name.rfind('.').unwrap_or(name.len());
    let mut start = 0;
    let mut is_first = true;
    for end in name.match_indices(['.', '-', '~']).map(|(at, _)| at).chain([name.len()]) {
        let part = &name[start..end];
        let is_hash = !is_first && end <= last && is_bundle_hash(part);
        if is_hash {
            out.push_str("{n}");
        } else {
            out.push_str(part);
        }
        out.push_str(name.get(end..end + 1).unwrap_or_default());
        start = end + 1;
        is_first = false;
    }
    out
}

fn is_bundle_hash(part: &str) -> bool {
    let bytes = part.as_bytes();
    let has_digit = bytes.iter().any(u8::is_ascii_digit);
    let is_hex = bytes.len() >= 6 && has_digit && bytes.iter().all(u8::is_ascii_hexdigit);
    let upper = bytes.iter().skip(1).filter(|byte| byte.is_ascii_uppercase()).count();
    let lower = bytes.iter().filter(|byte| byte.is_ascii_lowercase()).count();
    // Vite's hashes have eight characters of base 64, often without a digit.
    let is_base64 = bytes.len() == 8 && (upper >= 2 || has_digit) && lower > 0 && (upper > 0 || has_digit);
    is_hex || is_base64 || random(part) || part == "{n}"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_parts_of_functions_are_removed() {
        let cases = [
            ("shop::buy::<u8>", "shop::buy"),
            ("shop::buy::h0123456789abcdef", "shop::buy"),
            ("shop::Cart<T>::add", "shop::Cart::add"),
            ("<Cart as Checkout>::pay", "<Cart as Checkout>::pay"),
            ("shop::buy::{{closure}}::{{closure}}", "shop::buy::{{closure}}"),
            ("shop::buy::{closure#3}", "shop::buy::{{closure}}"),
            ("lambda_12", "lambda"),
            ("_callee$3", "_callee"),
            ("_callee3$", "_callee"),
            ("block (2 levels) in show", "block in show"),
            ("block in show", "block in show"),
            ("main.(*Server).handle.func2.1", "main.(*Server).handle.func"),
            ("Object.<anonymous>", "Object.<anonymous>"),
            ("<anonymous>", "<anonymous>"),
            ("<lambda>", "<lambda>"),
            ("<module>", "<module>"),
            ("", "<anonymous>"),
            ("sha256", "sha256"),
            ("utf8_decode", "utf8_decode"),
            ("pay_v2", "pay_v2"),
            ("line 42", "line 42"),
        ];
        for (name, bare) in cases {
            assert_eq!(function(name), bare, "{name}");
        }
    }

    #[test]
    fn parts_of_paths_that_change_with_a_release_are_removed() {
        let cases = [
            ("/static/app.3f2a1b.js", "/static/app.{n}.js"),
            ("/static/app.3f2a1b9c8d7e6f5a4b3c.js?v=12", "/static/app.{n}.js"),
            ("/assets/index-BxKqLmZa.js", "/assets/index-{n}.js"),
            ("static/js/2.8d3e1f0c.chunk.js", "static/js/{n}.chunk.js"),
            ("/srv/app/releases/20160504101500/app/cart.rb", "/srv/app/current/app/cart.rb"),
            ("/srv/app/releases/1234/app/cart.rb", "/srv/app/current/app/cart.rb"),
            ("C:\\app\\cart.py", "C:/app/cart.py"),
            ("app/controllers/oauth2.rb", "app/controllers/oauth2.rb"),
            ("src/components/shopping-cart.js", "src/components/shopping-cart.js"),
        ];
        for (path, bare) in cases {
            assert_eq!(file(path), bare, "{path}");
        }
    }

    #[test]
    fn random_names_are_read_to_their_end() {
        let parts = [
            "<",
            ">",
            "::",
            "h0123456789abcdef",
            "{",
            "}",
            "{closure#1}",
            "(",
            ")",
            "1",
            "22",
            "_",
            "$",
            ".",
            "/",
            "\\",
            "a",
            "func",
            "é",
            " as ",
            " (",
            ":",
            ":5:",
            "?",
            "#",
            "-",
            ".js",
            "/releases/",
            "block (",
            " levels) in ",
            "Bx",
        ];
        let mut random = fastrand::Rng::with_seed(3);
        for _ in 0..50_000 {
            let name: String = (0..random.usize(0..10)).map(|_| parts[random.usize(..parts.len())]).collect();
            function(&name);
            file(&name);
            culprit(&name);
        }
    }
}
