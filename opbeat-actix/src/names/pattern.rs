//! The patterns of resources: the paths that they match, and their templates.

use std::borrow::Cow;

/// The expressions of a parameter that matches the rest of a path.
const REST: [&str; 2] = [".*", ".+"];

/// The first parameter of a pattern, and the text around it.
struct Parameter<'a> {
    before: &'a str,
    name: &'a str,
    expression: Option<&'a str>,
    after: &'a str,
}

impl<'a> Parameter<'a> {
    fn first_of(pattern: &'a str) -> Option<Self> {
        let (before, inside) = pattern.split_once('{')?;
        let mut depth = 1_u32;
        let end = inside.bytes().position(|byte| {
            match byte {
                b'{' => depth += 1,
                b'}' => depth -= 1,
                _ => {}
            }
            depth == 0
        })?;
        let (definition, after) = (&inside[..end], &inside[end + 1..]);
        let (name, expression) = match definition.split_once(':') {
            Some((name, expression)) => (name, Some(expression)),
            None => (definition, None),
        };
        // At the end of a pattern, `{name}*` is short for `{name:.*}`.
        let (expression, after) = if after == "*" { (Some(".*"), "") } else { (expression, after) };
        Some(Self { before, name, expression, after })
    }

    fn is_rest(&self) -> bool {
        self.after.is_empty() && self.expression.is_some_and(|expression| REST.contains(&expression))
    }

    /// Adds the parameter as all adapters write it: `{id}`, or `*` for the rest of the path.
    fn push_to(&self, template: &mut String) {
        if self.is_rest() {
            template.push('*');
        } else {
            template.extend(["{", self.name, "}"]);
        }
    }
}

/// Returns whether a path with at most one value has the literal text of a pattern: the whole of it, or the parts before
/// and after its only parameter. Then the pattern is its own template.
#[inline]
pub(crate) fn surrounds(path: &str, pattern: &str, values: usize) -> bool {
    let open = pattern.bytes().position(|byte| byte == b'{').filter(|_| values == 1);
    let Some(open) = open else { return path == pattern && !pattern.is_empty() };
    let (before, parameter) = pattern.split_at(open);
    let Some(close) = parameter.bytes().position(|byte| byte == b'}' || byte == b':') else { return false };
    let Some(after) = parameter[close..].strip_prefix('}') else { return false };
    let is_only = !after.bytes().any(|byte| byte == b'{' || byte == b'*');
    is_only && path.strip_prefix(before).is_some_and(|rest| rest.ends_with(after))
}

/// Returns whether a path consists of the literal parts of a pattern and these values of its parameters.
#[inline]
pub(crate) fn is_made_of<'a>(
    mut path: &str,
    mut pattern: &str,
    values: impl Iterator<Item = (&'a str, &'a str)>,
) -> bool {
    for (name, value) in values {
        let Some(rest) = after_parameter(path, pattern, name, value) else { return false };
        (path, pattern) = rest;
    }
    path == pattern
}

/// Returns the rests of a path and of a pattern after its first parameter, if that has this name and this value.
///
/// It is called for each request. It only searches for the end of a parameter that has an expression.
#[inline]
fn after_parameter<'p, 't>(path: &'p str, pattern: &'t str, name: &str, value: &str) -> Option<(&'p str, &'t str)> {
    let (before, parameter) = pattern.split_at(pattern.bytes().position(|byte| byte == b'{')?);
    let path = path.strip_prefix(before)?.strip_prefix(value)?;
    let after_name = parameter.strip_prefix('{')?.strip_prefix(name)?;
    let pattern = match after_name.strip_prefix('}') {
        Some("*") => "",
        Some(after) => after,
        None => Parameter::first_of(parameter).filter(|parameter| parameter.name == name)?.after,
    };
    Some((path, pattern))
}

/// Returns the template of a pattern: `{id:\d+}` becomes `{id}`, and `{tail:.*}` or `{tail}*` at the end becomes `*`.
#[inline]
pub(crate) fn template(pattern: &str) -> Cow<'_, str> {
    if pattern.contains(':') || pattern.ends_with('*') {
        Cow::Owned(translated(pattern))
    } else {
        Cow::Borrowed(pattern)
    }
}

fn translated(mut pattern: &str) -> String {
    let mut template = String::with_capacity(pattern.len());
    while let Some(parameter) = Parameter::first_of(pattern) {
        template.push_str(parameter.before);
        parameter.push_to(&mut template);
        pattern = parameter.after;
    }
    template.push_str(pattern);
    template
}

/// Returns the template of a pattern that matches all paths below it: `/files/*`.
pub(crate) fn prefix_template(pattern: &str) -> String {
    translated(pattern.trim_end_matches('/')) + "/*"
}

/// Makes the template of a path, whose parameters have these values. The values are parts of the path itself.
///
/// The pattern that matched is unknown; `similar` is another pattern of the same resource. A last parameter that is the
/// rest of the path there is so here too.
#[cold]
pub(crate) fn template_of_path<'a>(
    path: &str,
    values: impl Iterator<Item = (&'a str, &'a str)>,
    similar: &str,
) -> Option<String> {
    let rest_name = last_parameter(similar).filter(Parameter::is_rest).map(|rest| rest.name);
    let (mut template, mut end) = (String::with_capacity(path.len()), 0);
    for (name, value) in values {
        let start = value.as_ptr().addr().checked_sub(path.as_ptr().addr())?;
        let before = path.get(end..start)?;
        end = start.checked_add(value.len())?;
        let after = path.get(end..)?;
        let expression = REST.into_iter().find(|_| rest_name == Some(name));
        template.push_str(before);
        Parameter { before, name, expression, after }.push_to(&mut template);
    }
    template.push_str(path.get(end..)?);
    Some(template)
}

/// Returns whether a pattern ends in a parameter with an expression, which may match any number of segments.
pub(crate) fn ends_in_expression(pattern: &str) -> bool {
    last_parameter(pattern).is_some_and(|last| last.after.is_empty() && last.expression.is_some())
}

fn last_parameter(pattern: &str) -> Option<Parameter<'_>> {
    let mut last = Parameter::first_of(pattern)?;
    while let Some(next) = Parameter::first_of(last.after) {
        last = next;
    }
    Some(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_have_one_notation() {
        for (pattern, expected) in [
            ("/books/{id}", "/books/{id}"),
            (r"/num/{id:\d+}", "/num/{id}"),
            ("/v{version:[[:digit:]]{1}}/{tail:.*}", "/v{version}/*"),
            ("/blob/{tail}*", "/blob/*"),
            ("/{middle:.*}/end", "/{middle}/end"),
            ("/time:{hour}", "/time:{hour}"),
            ("/open/{id:", "/open/{id:"),
        ] {
            assert_eq!(template(pattern), expected);
        }
        assert_eq!(["", "/", "/images"].map(prefix_template), ["/*", "/*", "/images/*"]);
    }

    #[test]
    fn a_path_is_made_of_its_pattern_and_values() {
        let values = || [("shelf", "7"), ("tail", "a/b")].into_iter();
        for (pattern, expected) in [
            (r"/shelves/{shelf:\d{1,2}}/{tail}*", true),
            ("/shelves/{shelf}/{tail:.*}", true),
            ("/shelf/{shelf}/{tail:.*}", false),
            ("/shelves/{shelf}/books/{tail:.*}", false),
            ("/shelves/{shelf}/{rest:.*}", false),
            ("/shelves/{shelf}", false),
            ("/shelves/{shelf}/{tail}/x", false),
        ] {
            assert_eq!(is_made_of("/shelves/7/a/b", pattern, values()), expected, "{pattern}");
        }
    }

    #[test]
    fn a_path_becomes_a_template() {
        let path = "/old/old/1/x/y";
        let values = || [("shelf", &path[5..8]), ("book", &path[9..10]), ("tail", &path[11..])].into_iter();
        let made = |similar| template_of_path(path, values(), similar).unwrap();
        assert_eq!(made("/{shelf}/{book}/{tail:.*}"), "/old/{shelf}/{book}/*");
        assert_eq!(made("/{shelf}/{book}/{tail}"), "/old/{shelf}/{book}/{tail}");
        assert_eq!(template_of_path(path, [("shelf", "elsewhere")].into_iter(), ""), None);
    }
}
