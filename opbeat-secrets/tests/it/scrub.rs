//! Texts that are scrubbed, and texts that stay as they are.

use opbeat_secrets::{REDACTED, Secrets, is_secret_name};

fn secrets() -> Secrets {
    Secrets::new(["*iban*"])
}

#[test]
fn secret_names_are_recognised() {
    let names = "Authorization cookie Set-Cookie X-Api-Key proxy-authorization new_password csrfToken author_token pwd pass \
                 jwt otp pin userPin user_pin PINCode user%5Bpin%5D password2 HTTP_X_API_KEY passphrase connect.sid \
                 PHPSESSID oauth_verifier credentials session_id clientSecret pwd1 sig cvv";
    for name in names.split_whitespace() {
        assert!(is_secret_name(name), "{name}");
    }
    let names = "host user-agent page author authors coauthor authority title opinion spin spinner pinned compass passenger \
                 bypass shipping keypins passes design sidebar side_effect otpauthor key id user email compass_pinned";
    for name in names.split_whitespace() {
        assert!(!is_secret_name(name), "{name}");
    }
}

/// Each text, and the text after scrubbing; `…` stands for [`REDACTED`].
const REMOVED: &[(&str, &str)] = &[
    // Queries and forms.
    ("/books?page=2&api_key=abc", "/books?page=2&api_key=…"),
    ("password=hunter2&name=ada", "password=…&name=ada"),
    ("IBAN=DE123", "IBAN=…"),
    ("/x?pwd=a&pass=b&jwt=c&otp=1&pin=2&page=3", "/x?pwd=…&pass=…&jwt=…&otp=…&pin=…&page=3"),
    ("author_token=abc", "author_token=…"),
    ("user[password]=hunter2&user%5Bpin%5D=1", "user[password]=…&user%5Bpin%5D=…"),
    ("password = hunter2", "password = …"),
    ("password= hunter2", "password= …"),
    (
        "--X\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nhunter2\r\n--X\r\n",
        "--X\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n…\r\n--X\r\n",
    ),
    (r"form-data; name=\'password\'\r\n\r\nhunter2\r\n--X--", r"form-data; name=\'password\'\r\n\r\n…\r\n--X--"),
    // URLs.
    ("postgres://shop:hunter2@db.example/shop", "postgres://shop:…@db.example/shop"),
    ("redis://:hunter2@cache:6379/0", "redis://:…@cache:6379/0"),
    ("postgres://shop:p@ss@db/shop", "postgres://shop:…@db/shop"),
    ("postgres://shop:p/s?s@db/shop", "postgres://shop:…@db/shop"),
    ("get https://TOKEN@host/a", "get https://…@host/a"),
    ("https://ghp0123456789abcdefghij:x-oauth-basic@github.com", "https://…@github.com"),
    ("libsql://abcdefghij0123456789abc@db", "libsql://…@db"),
    // JSON.
    (r#"{"password": "hunter2", "title": "Emma"}"#, r#"{"password": "…", "title": "Emma"}"#),
    (r#"{"password":"a\"b","page":2}"#, r#"{"password":"…","page":2}"#),
    (r#"{"password":"a\\","page":2}"#, r#"{"password":"…","page":2}"#),
    (r#"{"token":12345,"page":2}"#, r#"{"token":…,"page":2}"#),
    (r#"{\"password\":\"hunter2\",\"page\":2}"#, r#"{\"password\":\"…\",\"page\":2}"#),
    (r#"{\"password\":\"a\\\"b\\\\\",\"page\":2}"#, r#"{\"password\":\"…\",\"page\":2}"#),
    (r#"{\\\"pin\\\": \\\"1\\\", \\\"page\\\": 2}"#, r#"{\\\"pin\\\": \\\"…\\\", \\\"page\\\": 2}"#),
    (r#"{"passwords": ["hunter2", "a]b"], "page": 2}"#, r#"{"passwords": …, "page": 2}"#),
    (r#"{"credentials": {"user":"u","key":"}"}, "page": 2}"#, r#"{"credentials": …, "page": 2}"#),
    (r#"{\"credentials\": {\"key\":\"}\"}, \"page\": 2}"#, r#"{\"credentials\": …, \"page\": 2}"#),
    (r#"{"credentials": {"user":"u","key":"hun"#, r#"{"credentials": …"#),
    (r#"{"name": "password", "value": "hunter2"}"#, r#"{"name": "password", "value": "…"}"#),
    ("{'password': 'it\\'s', 'page': 2}", "{'password': '…', 'page': 2}"),
    // Values as Rust and others print them.
    (r#"Login { password: "hunter2", name: "ada" }"#, r#"Login { password: "…", name: "ada" }"#),
    (r#"Login { password: Some("hunter2"), page: 2 }"#, "Login { password: …, page: 2 }"),
    ("Login { password: Some(\n  \"hunter2\",\n), page: 2 }", "Login { password: …, page: 2 }"),
    ("Login { pin: Pin { digits: [1, 2] }, page: 2 }", "Login { pin: …, page: 2 }"),
    ("Login { token: [1, 2, 3], page: 2 }", "Login { token: …, page: 2 }"),
    ("User(1, Secret(hunter2), 2)", "User(1, Secret(…), 2)"),
    (r#"ApiKey("hunter2") is refused"#, "ApiKey(…) is refused"),
    (r#"Password { text: "hunter2" } is short"#, "Password {…} is short"),
    ("Iban(DE12) is short", "Iban(…) is short"),
    (r#"{"authorization": "Bearer hunter2", "host": "a"}"#, r#"{"authorization": "…", "host": "a"}"#),
    (r#"{"authorization": Bearer hunter2, "host": "a"}"#, r#"{"authorization": …, "host": "a"}"#),
    (r#"[("authorization", "Bearer hunter2"), ("host", "a")]"#, r#"[("authorization", "…"), ("host", "a")]"#),
    (r#"{"password" => "hunter2", :pin=>"1"}"#, r#"{"password" => "…", :pin=>"…"}"#),
    // Headers and lines.
    ("Authorization: Bearer hunter2", "Authorization: …"),
    ("authorization: Basic aHVudGVyMjo=\r\nhost: a", "authorization: …\r\nhost: a"),
    ("Authorization: Digest username=\"ada\", response=\"abc\" was sent", "Authorization: … was sent"),
    ("Cookie: a=b; sid=\"c d\"; e=f\r\nhost: a", "Cookie: …\r\nhost: a"),
    ("Set-Cookie: a=b; Path=/; HttpOnly", "Set-Cookie: …; HttpOnly"),
    ("curl -H 'Cookie: a=b; c=d' http://a", "curl -H 'Cookie: …' http://a"),
    ("login failed, password: hunter2", "login failed, password: …"),
    ("password: swordfish", "password: …"),
    ("password:hunter2 is wrong", "password:… is wrong"),
    ("invalid token: f3a9c0", "invalid token: …"),
    ("API key: 12ab34", "API key: …"),
    ("sent Bearer abc.def1 to them", "sent Bearer … to them"),
    ("it was eyJhbGci.eyJzdWIi.c2ln-_, they say", "it was …, they say"),
    (
        "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----…-----END PRIVATE KEY-----",
    ),
    // Markup.
    ("<a><password>hunter2</password></a>", "<a><password>…</password></a>"),
    ("<ns:pin type=\"x\">1234</ns:pin>", "<ns:pin type=\"x\">…</ns:pin>"),
    ("<password><![CDATA[<hunter2>]]></password>", "<password><![CDATA[…]]></password>"),
    ("<input name=\"password\" value=\"hunter2\">", "<input name=\"password\" value=\"…\">"),
    // SQL.
    ("SELECT 1 FROM users WHERE token = 'abc' AND id = 7", "SELECT 1 FROM users WHERE token = '…' AND id = 7"),
    ("WHERE \"u\".\"password\" <> 'it''s' AND id = 7", "WHERE \"u\".\"password\" <> '…' AND id = 7"),
    ("WHERE u.password != 'it''s' AND id = 7", "WHERE u.password != '…' AND id = 7"),
    ("WHERE token IN ('a', 'b') AND id IN ('c')", "WHERE token IN (…) AND id IN ('c')"),
    ("WHERE token LIKE 'abc%' AND id LIKE 'c'", "WHERE token LIKE '…' AND id LIKE 'c'"),
    ("SET password = crypt('hunter2', 'a') WHERE", "SET password = … WHERE"),
    ("Key (email, token)=(a@b, abc) already exists.", "Key (email, token)=(…) already exists."),
    // Cards.
    ("card 4111-1111-1111-1111.", "card …."),
    ("paid 100 4111 1111 1111 1111", "paid 100 …"),
    ("4111 1111 1111 1111 12/27", "… 12/27"),
    ("card 4111111111111111 123", "card … 123"),
    ("3782 822463 10005, 5555555555554444", "…, …"),
];

#[test]
fn secrets_are_removed_from_text() {
    for (text, expected) in REMOVED {
        let scrubbed = secrets().scrub(text).into_owned();
        assert_eq!(scrubbed, expected.replace('…', REDACTED), "scrubbed {text}");
        assert_eq!(secrets().scrub(&scrubbed), scrubbed, "scrubbing twice changes nothing more");
    }
}

#[test]
fn text_without_secrets_is_unchanged() {
    let texts = [
        "/books?page=2&author=ada&opinion=good&spin=3",
        "/users/:token/pin/{pin}?expand=all",
        "see https://shop.example/a:b@c and ssh://git@github.com/a, git@github.com:a/b",
        "postgres://shop@db.example:5432/shop and http://localhost:8080/?q=a@b",
        "unexpected token: expected a brace",
        "unexpected token: '}' at line 3",
        "invalid token: ExpiredSignature",
        "password: Validation error: length",
        "csrf token: missing",
        "missing field `password` at line 1 column 20",
        "password=&token=null, secret: None, pin: false",
        r#"{"password": "", "token": null, "passwords": [], "credentials": {}}"#,
        "authentication failed: no such user",
        "Unauthorized: the header is missing",
        "InvalidToken(\"expected a brace\") from Auth(Expired)",
        "a Password (required)",
        "at src/token.rs:42:7, src/auth/session.rs:120",
        "shop::auth::Session::open<shop::token::Token>",
        "cannot connect to auth:8080 or session:6379",
        "HashMap<Token, String> has no <password>",
        "SELECT * FROM users WHERE token = $1 AND password = ? AND pin = :pin AND otp = %s",
        "INSERT INTO users (email, password) VALUES ($1, $2)",
        "Key (email)=(ada@shop.example) already exists.",
        "GET /books/{id} -> 200 (12 ms)",
        "at 1795417737447, order 12345678901234567890",
        "2026-11-23 07:08:00.123456 +00:00, 2026-11-23T07:08:00Z",
        "4111 1111 1111 1112",
        "call +49 30 1234 5678 9012 or 555-0100-1234-567",
        "123e4567-e89b-12d3-a456-426614174000, 41111111-1111-4111-8111-111111111111",
        "commit 92f438b5d0c1a7e4411111111111111192f438b5, trace 4bf92f3577b34da6a3ce929d0e0e4736",
        "id 7203465839485762349, 1700000000000000000 ns",
        "10.0.0.1:5432: connection refused (os error 111)",
        "thread 'main' panicked at src/main.rs:10:5: index out of bounds: the len is 3 but the index is 7",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
        "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
        "the bearer of bad news, Bearer tokens are refused",
        "Übergröße: 3 × 4 = 12 – „gut“",
    ];
    for text in texts {
        assert_eq!(secrets().scrub(text), text);
    }
}

#[test]
fn only_literals_are_removed_from_source() {
    let cases = [
        (r#"    password = "hunter2""#, r#"    password = "…""#),
        (r#"let api_key = "abc", page = 2;"#, r#"let api_key = "…", page = 2;"#),
        (r#"  "secret_token": 'abc',"#, r#"  "secret_token": '…',"#),
        (r#"const TOKEN: &str = "abc";"#, r#"const TOKEN: &str = "…";"#),
        (r##"const TOKEN: &[u8] = br#"abc"#;"##, r##"const TOKEN: &[u8] = br#"…"#;"##),
        (r#"connect("postgres://shop:hunter2@db")"#, r#"connect("postgres://shop:…@db")"#),
        (r#"let it = Secret("hunter2");"#, "let it = Secret(…);"),
        (r#"if token == "abc" {"#, r#"if token == "…" {"#),
    ];
    for (line, expected) in cases {
        assert_eq!(secrets().scrub_source(line), expected.replace('…', REDACTED));
    }
    let lines = [
        "let token = get_token(&user);",
        r#"let user = find(token: Token, "ada");"#,
        r#"title = "Emma""#,
        "use std::fmt;",
        "fn login(password: &str, pin: u32) -> Token {",
        "Password(text) => text.len(),",
    ];
    for line in lines {
        assert_eq!(secrets().scrub_source(line), line);
    }
}

/// Pieces of text that are repeated: signs and names are everywhere, and the end of a value is nowhere.
const PIECES: &[&str] = &[
    "a@",
    "@",
    "=",
    ":",
    "://",
    "://a@",
    "://a:b",
    "x://a:b ",
    "a=",
    "password=",
    "password= ",
    "password:",
    "token: a ",
    "token:1:",
    "token:1",
    "password=\"",
    "password='",
    "password=\",",
    "token=\\\",",
    "password=[",
    "Secret(",
    "Some(",
    "password=Some(",
    "password=\"[REDACTED]",
    "password=[REDACTED]",
    "Secret([REDACTED]",
    "(token)=([REDACTED]",
    "(token)=(",
    "<token>",
    "<token",
    "<token><![CDATA[[REDACTED]",
    "name=\"token\"\n\n[REDACTED]",
    "name=\"token\"",
    "name=\"token\"value=",
    "token=%(",
    "password=****",
    "cookie: a=b; ",
    "cookie=a=\"",
    "authorization: Basic a=",
    "key ",
    "(\"token\",\"",
    "token in ('",
    "token like '",
    "earer ",
    "Bearer 1",
    "eyJ.",
    "eyJ",
    "-----BEGIN PRIVATE KEY-----[REDACTED]",
    "PRIVATE KEY-----",
    "4",
    "4111 ",
    "4111 1111 1111 1111 ",
    "1-",
    " ",
    "\\",
    "\"",
    "\\\"",
    "'",
    "-",
    "a",
    "A",
    "ü",
    "%20",
    "[",
    "const TOKEN: ",
    "invalid token: a ",
    "curl -u a:",
    "curl -u a",
    "curl -u '",
    "curl -u,",
    "mysql -p",
    "mysql -p'",
    "'-p'",
    "-p ",
    "--token ",
    "--token \"[REDACTED]",
    "'--token', '",
    "'token', '",
    "[\"token\", \"a",
    "sk-",
    "ghp_",
    "SK0",
    "hooks.slack.com/services/",
    "asic ",
    "Basic YTo",
    "000000:AA",
    "&quot;",
    "token&quot;:&quot;",
    "\\u0022token\\u0022:\\u0022",
    "token='''",
    "token=''''",
    "token%3D",
    "token%3D%20",
    "token%3D[REDACTED]",
    "a%3A%2F%2F",
    "a%3A%2F%2Fa%3Ab%40",
    "%22",
    "&lt;token&gt;",
    "&lt;token&gt;[REDACTED]",
    "<key>token</key>",
    "<key>token</key><a>",
    "token: |\n ",
    "token: |\n [REDACTED]\n ",
    "token: |",
    "(token) values (",
    "(token) values ($1,",
    "(token) values ([REDACTED]), ",
    "password '",
    "password '{",
    "grant identified by '",
    "set password for a = '",
    "value=\"a\", name=\"token\"",
    "value=\"",
    "name: token",
    ":thin:a/b@",
    ":thin:",
    ":\\/\\/a:b@",
    "://a:[@",
    "[]",
    "token=[]",
    "{token:a ",
];

#[test]
fn time_is_linear() {
    for secrets in [Secrets::default(), Secrets::new(["*"])] {
        for piece in PIECES {
            scrub_both(&secrets, piece, 20_000);
        }
        // With quadratic time, this would take hours.
        for piece in ["a@", "password='", "://a:b", "token:1:"] {
            scrub_both(&secrets, piece, 500_000);
        }
    }
}

fn scrub_both(secrets: &Secrets, piece: &str, length: usize) {
    let text = piece.repeat(length / piece.len());
    // Each removed byte adds at most one `REDACTED`.
    let longest = text.len() * REDACTED.len();
    assert!(secrets.scrub(&text).len() <= longest && secrets.scrub_source(&text).len() <= longest, "{piece}");
}

#[test]
fn scrubbed_text_is_never_empty() {
    let mut random = fastrand::Rng::with_seed(7);
    let others = ["ü", "…", "日", ")", "]", "}", ">", "]]>", "\n", "abc1", "value=", "Digest ", "REDACTED"];
    let pieces: Vec<&str> = PIECES.iter().chain(&others).copied().collect();
    let secrets = secrets();
    for _ in 0..20_000 {
        let text: String = (0..random.usize(1..12)).map(|_| pieces[random.usize(..pieces.len())]).collect();
        assert!(!secrets.scrub(&text).is_empty() && !secrets.scrub_source(&text).is_empty(), "{text}");
    }
}
