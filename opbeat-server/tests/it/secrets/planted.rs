//! Planted secrets: each one is unique, and beside each is a harmless word.

use fastrand::Rng;
use serde_json::{Value, json};

/// The start of every planted secret, in any case.
pub(super) const MARK: &str = "qxz7";

/// The start of every planted number of a card. Cards have no letters.
pub(super) const CARD: &str = "41179053";

/// The forms of secrets. `TOKEN`, `ALNUM`, `UPPER` and `CARD` stand for the secrets.
///
/// The tokens are in two parts, so that no scanner takes this file for a leak.
const FORMS: [(&str, &str); 30] = [
    ("password=", "ALNUM"),
    ("Authorization: Bearer ", "ALNUM"),
    ("sent Authorization: Basic ", "ALNUM"),
    ("gh", "p_TOKEN"),
    ("github_", "pat_TOKEN"),
    ("AK", "IAUPPER"),
    ("AI", "zaTOKEN"),
    ("xo", "xb-123456789012-TOKEN"),
    ("sk_", "live_TOKEN"),
    ("glp", "at-TOKEN"),
    ("np", "m_TOKEN"),
    ("ey", "JhbGciOiJIUzI1NiJ9.eyJALNUM.ALNUM"),
    ("https://hooks.slack", ".com/services/T01234567/B01234567/TOKEN"),
    ("postgres://shop:", "ALNUM@db/shop"),
    ("https://ada:", "ALNUM@shop.example/a?page=2"),
    ("https://shop.example/cb?page=2&access_token=", "ALNUM"),
    ("curl -u ada:", "ALNUM https://shop.example"),
    ("mysql -u root -p", "ALNUM shop"),
    ("app --token=", "ALNUM --page 2"),
    ("export DB_PASSWORD=", "ALNUM"),
    ("{\"password\":\"", "ALNUM\",\"page\":2}"),
    ("{\\\"api_key\\\":\\\"", "ALNUM\\\",\\\"page\\\":2}"),
    ("{'secret': '", "ALNUM', 'page': 2}"),
    ("{:password=>\"", "ALNUM\", :page=>2}"),
    ("Login { password: \"", "ALNUM\", page: 2 }"),
    ("map[password:", "ALNUM page:2]"),
    ("<password>", "ALNUM</password>"),
    ("AccountName=a;AccountKey=", "ALNUM;Page=2"),
    ("X-Api-Key: ", "ALNUM"),
    ("card ", "CARD"),
];

/// The forms that occur as literals in source code. In code, `password=word` is a variable.
const SOURCE_FORMS: [usize; 6] = [3, 5, 13, 20, 22, 24];

/// Makes texts with secrets, and remembers the harmless words.
pub(super) struct Planter {
    rng: Rng,
    form: usize,
    /// Each harmless word with the field that contains it.
    pub(super) kept: Vec<(String, &'static str)>,
    /// The number of planted secrets.
    pub(super) planted: usize,
}

impl Planter {
    pub(super) fn new() -> Self {
        Self { rng: Rng::with_seed(12), form: 0, kept: Vec::new(), planted: 0 }
    }

    /// Calls a function for each form of secrets.
    pub(super) fn for_each_form(&mut self, mut call: impl FnMut(&mut Self)) {
        for form in 0..FORMS.len() {
            self.form = form;
            call(self);
        }
    }

    /// Returns a text of a field: a harmless word and a secret.
    pub(super) fn text(&mut self, field: &'static str) -> String {
        let text = self.unstored();
        let word = text.split(' ').next().unwrap_or_default().to_owned();
        self.kept.push((word, field));
        text
    }

    /// Returns a text of a field that is not stored.
    pub(super) fn unstored(&mut self) -> String {
        self.in_form(self.form)
    }

    /// Returns a line of source code.
    pub(super) fn source(&mut self, field: &'static str) -> String {
        let text = self.in_form(SOURCE_FORMS[self.form % SOURCE_FORMS.len()]);
        let word = text.split(' ').next().unwrap_or_default().to_owned();
        self.kept.push((word, field));
        text
    }

    /// Returns a bare secret, for a field whose name is secret.
    pub(super) fn secret(&mut self) -> String {
        self.planted += 1;
        self.fill("ALNUM")
    }

    /// Returns any JSON with secrets in its values and its keys.
    pub(super) fn value(&mut self, field: &'static str) -> Value {
        json!({
            "text": self.text(field), "list": [self.text(field), {"nested": self.text(field)}],
            // The value of a key that contains the name of a secret is removed.
            (self.text(field)): self.unstored(), (self.text(field)): {"nested": [self.unstored()]},
            "password": self.secret(), "API_KEY": [self.secret()], "session_token": {"nested": self.secret()},
        })
    }

    fn in_form(&mut self, form: usize) -> String {
        self.planted += 1;
        let (start, rest) = FORMS[form];
        let rest = self.fill(rest);
        format!("kept{:05}x {start}{rest}", self.planted)
    }

    fn fill(&mut self, form: &str) -> String {
        let upper = format!("{}{}", MARK.to_ascii_uppercase(), self.characters(12, "ABCDEFGHJKLMNPQRSTUVWXYZ234567"));
        let mixed = |rng: &mut Self, length| {
            format!("{MARK}{}", rng.characters(length, "abcdefghijkmnpqrstuvwxyzABCDEFGH0123456789"))
        };
        let (token, alnum) = (mixed(self, 32), mixed(self, 14));
        let token = if form.starts_with("za") { token[..35].to_owned() } else { token };
        let form = form.replace("TOKEN", &token).replace("ALNUM", &alnum).replace("UPPER", &upper);
        form.replace("CARD", &self.card())
    }

    fn characters(&mut self, length: usize, of: &str) -> String {
        let of: Vec<char> = of.chars().collect();
        (0..length).map(|_| of[self.rng.usize(..of.len())]).collect()
    }

    /// Returns the number of a card, whose last digit is right.
    fn card(&mut self) -> String {
        let digits = format!("{CARD}{}", self.characters(7, "0123456789"));
        let sum: u32 = digits.bytes().enumerate().map(|(at, byte)| luhn(u32::from(byte - b'0'), at % 2 == 0)).sum();
        format!("{digits}{}", (10 - sum % 10) % 10)
    }
}

fn luhn(digit: u32, is_doubled: bool) -> u32 {
    match is_doubled {
        true if digit > 4 => digit * 2 - 9,
        true => digit * 2,
        false => digit,
    }
}
