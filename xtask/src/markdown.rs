//! Splits Markdown into paragraphs, list items, headings and table cells, and those into sentences.

/// The text of one paragraph, list item, heading or table cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// The line of its first word, from 1.
    pub(crate) line: usize,
    /// Whether it is a table cell.
    pub(crate) is_cell: bool,
    /// The text as it is written, with its line feeds.
    pub(crate) text: String,
}

/// The word that inline code, addresses and placeholders become.
pub(crate) const CODE: &str = "`…`";

/// Words whose full stop ends no sentence.
const ABBREVIATIONS: [&str; 6] = ["e.g", "i.e", "etc", "vs", "cf", "approx"];

/// Splits Markdown whose lines are consecutive, without its code blocks.
pub(crate) fn blocks(first_line: usize, text: &str) -> Vec<Block> {
    let mut splitter = Splitter::default();
    for (index, line) in text.lines().enumerate() {
        splitter.line(first_line + index, line);
    }
    splitter.end_block();
    splitter.blocks
}

#[derive(Default)]
struct Splitter {
    blocks: Vec<Block>,
    open: Option<Block>,
    /// The characters that close the current code block or HTML comment.
    until: Option<&'static str>,
}

impl Splitter {
    fn line(&mut self, number: usize, line: &str) {
        let line = line.trim();
        if let Some(close) = self.until {
            if line.contains(close) {
                self.until = None;
            }
            return;
        }
        let line = line.strip_prefix('>').map_or(line, str::trim_start);
        if let Some(until) = opened_by(line) {
            self.end_block();
            self.until = Some(until);
        } else if is_no_prose(line) {
            self.end_block();
        } else if line.starts_with('|') {
            self.end_block();
            self.blocks.extend(cells(number, line));
        } else if let Some(heading) = heading(line) {
            self.begin_block(number, heading);
            self.end_block();
        } else if let Some(item) = list_item(line) {
            self.begin_block(number, item);
        } else if let Some(block) = &mut self.open {
            block.text.push('\n');
            block.text.push_str(line);
        } else {
            self.begin_block(number, line);
        }
    }

    fn begin_block(&mut self, line: usize, text: &str) {
        self.end_block();
        self.open = Some(Block { line, is_cell: false, text: text.to_owned() });
    }

    fn end_block(&mut self) {
        self.blocks.extend(self.open.take());
    }
}

/// Returns what closes the code block or HTML comment that the line opens and does not close itself.
fn opened_by(line: &str) -> Option<&'static str> {
    if line.starts_with("```") {
        Some("```")
    } else if line.starts_with("~~~") {
        Some("~~~")
    } else if line.starts_with("<!--") && !line.contains("-->") {
        Some("-->")
    } else {
        None
    }
}

/// Blank lines, rules, HTML and the targets of links.
fn is_no_prose(line: &str) -> bool {
    let is_rule = line.chars().all(|c| "-=*_ ".contains(c));
    let is_html = line.starts_with('<') && !line.starts_with("<http");
    let is_target = line.starts_with('[') && line.contains("]: ");
    is_rule || is_html || is_target
}

fn heading(line: &str) -> Option<&str> {
    line.starts_with('#').then(|| line.trim_start_matches('#')).filter(|rest| rest.starts_with(' ')).map(str::trim)
}

fn list_item(line: &str) -> Option<&str> {
    let bullet = ["- ", "* ", "+ "].iter().find_map(|bullet| line.strip_prefix(bullet));
    bullet.or_else(|| {
        let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
        let is_number = rest.len() < line.len();
        rest.strip_prefix(". ").or_else(|| rest.strip_prefix(") ")).filter(|_| is_number)
    })
}

fn cells(line: usize, row: &str) -> Vec<Block> {
    let is_delimiter = row.chars().all(|c| "|-: ".contains(c));
    if is_delimiter {
        return Vec::new();
    }
    let row = row.replace("\\|", "¦");
    let texts = row.split('|').map(str::trim).filter(|text| !text.is_empty());
    texts.map(|text| Block { line, is_cell: true, text: text.replace('¦', "|") }).collect()
}

/// Returns text without its marks: emphasis and the targets of links go, inline code becomes [`CODE`].
///
/// The line feeds stay, so that the line of each word can be counted.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '`' => code(rest, &mut plain),
            '<' => tag_or_address(rest, &mut plain),
            ']' => {
                let target = target_length(&rest[1..]);
                plain.extend(rest[1..=target].matches('\n'));
                1 + target
            }
            '[' | '*' => 1,
            '_' if !is_inside_word(&plain, &rest[1..]) => 1,
            '\\' => {
                let escaped = rest[1..].chars().next();
                plain.extend(escaped);
                1 + escaped.map_or(0, char::len_utf8)
            }
            c => {
                plain.push(c);
                c.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    plain
}

/// Takes inline code; returns its length.
fn code(rest: &str, plain: &mut String) -> usize {
    let ticks = rest.len() - rest.trim_start_matches('`').len();
    let Some(close) = rest[ticks..].find(&rest[..ticks]) else {
        return ticks;
    };
    plain.push_str(CODE);
    plain.extend(rest[..ticks + close].matches('\n'));
    2 * ticks + close
}

/// Takes an HTML tag, which goes, or an address, which becomes a word; returns its length.
fn tag_or_address(rest: &str, plain: &mut String) -> usize {
    let is_tag = rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
    match rest.find('>') {
        Some(close) if is_tag => {
            if rest[..close].contains("://") {
                plain.push_str(CODE);
            }
            plain.extend(rest[..close].matches('\n'));
            close + 1
        }
        _ => {
            plain.push('<');
            1
        }
    }
}

/// Returns the length of the target after a link's text: `(…)` or `[…]`.
fn target_length(rest: &str) -> usize {
    let close = match rest.chars().next() {
        Some('(') => ')',
        Some('[') => ']',
        _ => return 0,
    };
    rest.find(close).map_or(0, |at| at + 1)
}

fn is_inside_word(before: &str, after: &str) -> bool {
    before.ends_with(char::is_alphanumeric) && after.starts_with(char::is_alphanumeric)
}

/// Splits plain text into sentences, each with the number of lines before it.
pub(crate) fn split_sentences(text: &str) -> Vec<(usize, String)> {
    let mut sentences = Vec::new();
    let mut start = 0;
    let ends = text.char_indices().filter(|(at, c)| ".!?…".contains(*c) && ends_sentence(text, *at, *c));
    for end in ends.map(|(at, c)| at + c.len_utf8()).chain([text.len()]) {
        let closers = text[end..].find(|c: char| !")\"'”’".contains(c)).unwrap_or(text.len() - end);
        let sentence = &text[start..end + closers];
        let indent = sentence.len() - sentence.trim_start().len();
        let lines_before = text[..start + indent].matches('\n').count();
        let sentence = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
        if !sentence.is_empty() {
            sentences.push((lines_before, sentence));
        }
        start = end + closers;
    }
    sentences
}

/// Returns whether the mark at `at` ends a sentence: white space follows, and then no small letter.
fn ends_sentence(text: &str, at: usize, mark: char) -> bool {
    let after = text[at + mark.len_utf8()..].trim_start_matches([')', '"', '\'', '”', '’']);
    let next = after.trim_start().chars().next();
    let follows_space = after.starts_with(char::is_whitespace);
    let is_abbreviation = mark == '.' && ABBREVIATIONS.iter().any(|word| text[..at].ends_with(word));
    follows_space && !is_abbreviation && next.is_some_and(|c| !c.is_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(markdown: &str) -> Vec<(usize, String)> {
        blocks(1, markdown).into_iter().map(|block| (block.line, block.text)).collect()
    }

    fn owned(expected: &[(usize, &str)]) -> Vec<(usize, String)> {
        expected.iter().map(|(line, text)| (*line, (*text).to_owned())).collect()
    }

    #[test]
    fn blocks_are_split_and_code_is_left_out() {
        let markdown = "# Title\nOne\ntwo.\n\n```rust\nlet x;\n```\n- three\n  four\n- five\n1. six\n\n[a]: b\n";
        let expected = [(1, "Title"), (2, "One\ntwo."), (8, "three\nfour"), (10, "five"), (11, "six")];
        assert_eq!(texts(markdown), owned(&expected));
    }

    #[test]
    fn each_cell_is_a_text() {
        let table = "| a | b \\| c |\n|---|:--|\n| d | |\n";
        assert_eq!(texts(table), owned(&[(1, "a"), (1, "b | c"), (3, "d")]));
        assert!(blocks(1, table).iter().all(|block| block.is_cell));
    }

    #[test]
    fn marks_go_and_inline_code_is_one_word() {
        let text = "**The** [`a b`](c.md) and [d\ne](f) of `` g ` h ``, snake_case, _this_ <https://x.y>.";
        assert_eq!(plain(text), "The `…` and d\ne of `…`, snake_case, this `…`.");
    }

    #[test]
    fn sentences_know_their_line() {
        let text = "One, e.g. This one.\nTwo 1.5 (three.) \"Four?\"\n`…` is\nfive… still!";
        let expected =
            [(0, "One, e.g. This one."), (1, "Two 1.5 (three.)"), (1, "\"Four?\""), (2, "`…` is five… still!")];
        assert_eq!(split_sentences(text), owned(&expected));
    }
}
