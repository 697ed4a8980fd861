//! The output of `{:#?}` in one line, as `{:?}` writes it.

/// Joins the lines of a pretty-printed `Debug` output while it is written.
///
/// For derived implementations, the result equals the output of `{:?}`. A line break that no bracket or comma precedes
/// is part of a text, and stays.
#[derive(Default)]
pub(super) struct OneLine {
    /// The last character was a line break, and only indentation followed it.
    is_at_line_start: bool,
    /// The open brackets that a line break followed, each with whether the fields of a struct follow. Only those have
    /// spaces around them.
    open: Vec<bool>,
}

impl OneLine {
    /// Adds a piece of the output to the text.
    pub(super) fn push(&mut self, text: &mut String, piece: &str) {
        for character in piece.chars() {
            match (character, self.is_at_line_start) {
                (' ', true) => {}
                ('\n', _) => self.end_line(text),
                (_, true) => {
                    self.start_line(text, character);
                    text.push(character);
                }
                (_, false) => text.push(character),
            }
        }
    }

    fn end_line(&mut self, text: &mut String) {
        if self.is_at_line_start {
            text.push('\n');
        }
        self.is_at_line_start = true;
        if text.ends_with(['(', '[', '{']) {
            let name = text.strip_suffix(" {").and_then(|before| before.chars().next_back());
            self.open.push(name.is_some_and(|last| last.is_alphanumeric() || last == '_'));
        }
    }

    fn start_line(&mut self, text: &mut String, first: char) {
        self.is_at_line_start = false;
        if matches!(first, ')' | ']' | '}') {
            if text.ends_with(',') {
                text.pop();
            }
            if self.open.pop() == Some(true) {
                text.push(' ');
            }
        } else if text.ends_with(['(', '[', '{']) {
            if self.open.last() == Some(&true) {
                text.push(' ');
            }
        } else {
            text.push(if text.ends_with(',') { ' ' } else { '\n' });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fmt::Debug;

    use super::*;

    fn one_line(value: &dyn Debug) -> String {
        let (mut text, mut line) = (String::new(), OneLine::default());
        // Pieces of one character are the hardest ones.
        format!("{value:#?}").chars().for_each(|piece| line.push(&mut text, piece.encode_utf8(&mut [0; 4])));
        text
    }

    #[derive(Debug)]
    #[expect(dead_code, reason = "`Debug` shows the fields")]
    struct Shelf {
        books: BTreeMap<&'static str, Vec<u32>>,
        owner: Option<Box<Self>>,
        unit: (),
    }

    #[test]
    fn the_result_equals_the_plain_output() {
        let shelf = |owner| Shelf { books: [("Emma, a {\n novel", vec![1, 2]), ("", vec![])].into(), owner, unit: () };
        let values: [&dyn Debug; 5] =
            [&shelf(None), &shelf(Some(Box::new(shelf(None)))), &("no shelf", 3), &BTreeMap::from([(1, 2)]), &"text"];
        for value in values {
            assert_eq!(one_line(value), format!("{value:?}"));
        }
    }

    #[test]
    fn line_breaks_in_texts_stay() {
        assert_eq!(one_line(&format_args!("no order\n\ncaused by:\nthe shelf")), "no order\n\ncaused by:\nthe shelf");
    }
}
