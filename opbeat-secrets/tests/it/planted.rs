//! Planted secrets, in the forms in which applications and agents log them.

use opbeat_secrets::{REDACTED, Secrets};

/// Each text with its secrets between `«` and `»`.
const CONTEXTS: &[&str] = &[
    // Header dumps.
    "POST /pay HTTP/1.1\r\nHost: shop.example\r\nAuthorization: «Basic YWRhOmh1bnRlcjI=»\r\nAccept: */*",
    "> Authorization: «Bearer hunter2secret»\n> Accept: */*\n",
    "X-Api-Key: «hunter2»\nHost: shop.example",
    "proxy-authorization=«Basic YWRhOmh1bnRlcjI=; host=a»",
    "sent Basic «YWRhOmh1bnRlcjI=» to shop.example",
    "got 401 for Basic «OmFiYw==», retrying",
    "X-Amz-Security-Token: «FwoGZXIvYXdzEBY»\nHost: a",
    "Set-Cookie: «sessionid=38afes7a8; Path=/»; HttpOnly",
    "{\"headers\": [[\"Authorization\", \"«Bearer hunter2»\"], [\"Host\", \"a\"]]}",
    "[('Authorization', '«Bearer hunter2»'), ('Host', 'a')]",
    "[b'Authorization', b'«Bearer hunter2»', b'Host', b'a']",
    "['Authorization', '«Bearer hunter2»', 'Host', 'a']",
    "[\"Cookie\", \"«a=b; c=d»\", \"Host\", \"a\"]",
    "map[Authorization:«[Bearer hunter2]» Host:[a]]",
    "map[password:«hunter2» user:ada]",
    "map[password:«swordfish» user:ada]",
    "http.Header{\"Authorization\":«[]string{\"Bearer hunter2\"}», \"Host\":[]string{\"a\"}}",
    "headers: { authorization: '«Bearer hunter2»', host: 'a' }",
    "HeaderMap { inner: {\"authorization\": \"«Bearer hunter2»\", \"host\": \"a\"} }",
    // Python.
    "{'Authorization': '«Bearer hunter2secret»', 'Host': 'a'}",
    "{'password': '«hunter2»', 'user': 'ada'}",
    "{'password': b'«hunter2»', 'user': 'ada'}",
    "{b'password': b'«hunter2»', b'user': b'ada'}",
    "{'password': «SecretStr('hunter2')», 'user': 'ada'}",
    "ImmutableMultiDict([('password', '«hunter2»'), ('user', 'ada')])",
    "<QueryDict: {'password': «['hunter2']», 'user': ['ada']}>",
    "connect(host='a', password='«hunter2»', port=5)",
    "User(name='ada', password='«hunter2»')",
    "OrderedDict([('password', '«hunter2»')])",
    "argv: ['mysql', '--password', '«hunter2»', 'shop']",
    "Namespace(password='«hunter2»', user='ada')",
    "{'password': '''«hunter2»''', 'user': 'ada'}",
    // Ruby.
    "{:password=>\"«hunter2»\", :user=>\"ada\"}",
    "{\"password\"=>\"«hunter2»\", \"user\"=>\"ada\"}",
    "{password: \"«hunter2»\", user: \"ada\"}",
    "#<User id: 1, password: \"«hunter2»\", name: \"ada\">",
    "#<struct Login user=\"ada\", password=\"«hunter2»\">",
    "Parameters: {\"user\"=>{\"name\"=>\"ada\", \"password\"=>\"«hunter2»\"}, \"commit\"=>\"Go\"}",
    "{:token=>«:hunter2», :user=>1}",
    "#<Login @password=\"«hunter2»\", @user=\"ada\">",
    // Go.
    "{User:ada Password:«hunter2» Token:«abc123» Port:5}",
    "&{User:ada Password:«swordfish» Token:«abcdef» Port:5}",
    "main.Login{User:\"ada\", Password:\"«hunter2»\"}",
    "level=info msg=\"signed in\" password=«hunter2» user=ada",
    "level=info msg=\"signed in\" password=\"«hunter 2»\" user=ada",
    // Rust and JavaScript.
    "Login { password: «Some(\"hunter2\")», user: \"ada\" }",
    "Config { url: \"postgres://shop:«hunter2»@db/shop\", size: 5 }",
    "Some(\"redis://:«hunter2»@cache:6379\")",
    "{ user: 'ada', password: '«hunter2»' }",
    "{ user: 'ada', password: `«hunter2»` }",
    "{ password: «[ 'hunter2' ]», user: 'ada' }",
    "Map(2) { 'password' => '«hunter2»', 'user' => 'ada' }",
    "[ [ 'password', '«hunter2»' ], [ 'user', 'ada' ] ]",
    "Login(user=ada, password=«hunter2», port=5)",
    "Login{user='ada', password='«hunter2»'}",
    "{user=ada, password=«hunter2», port=5}",
    "stdClass Object ( [user] => ada [password] => «hunter2» )",
    "array ( 'user' => 'ada', 'password' => '«hunter2»', )",
    "%{\"password\" => \"«hunter2»\", \"user\" => \"ada\"}",
    "[password: \"«hunter2»\", user: \"ada\"]",
    // Queries and forms.
    "user=ada&password=«hunter2»&page=2",
    "user=ada&pass%77ord=«hunter2»&page=2",
    "GET /cb?code=1&access_token=«abc»&state=2",
    "/cb#access_token=«abc»&state=2",
    "/reset?user=1;token=«abc»;page=2",
    "user%3Dada%26password%3D«hunter2»%26page%3D2",
    "next=%2Fcb%3Ftoken%3D«abc123»%26page%3D2",
    "&quot;password&quot;:&quot;«hunter2»&quot;,&quot;page&quot;:2",
    "/x?user=ada&amp;password=«hunter2»&amp;page=2",
    "--X\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\nada\r\n--X\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n«hunter2»\r\n--X--",
    "--X\nContent-Disposition: form-data; name=\"password\"\nContent-Type: text/plain\n\n«hunter2»\n--X--",
    "Content-Disposition: form-data; name=password\r\n\r\n«hunter2»\r\n--X--",
    // JSON, also as text in JSON.
    "{\"password\":\"«hunter2»\",\"page\":2}",
    "{\\\"password\\\":\\\"«hunter2»\\\",\\\"page\\\":2}",
    "{\\\\\\\"password\\\\\\\":\\\\\\\"«hunter2»\\\\\\\",\\\\\\\"page\\\\\\\":2}",
    "{\"password\" : \"«hunter2»\"}",
    "{\n  \"password\":\n    \"«hunter2»\",\n  \"page\": 2\n}",
    "{\\n  \\\"password\\\": \\\"«hunter2»\\\",\\n  \\\"page\\\": 2\\n}",
    "{\"name\":\"password\",\"value\":\"«hunter2»\"}",
    "{\"key\":\"DB_PASSWORD\",\"value\":\"«hunter2»\"}",
    "{\"Name\": \"API_KEY\", \"Value\": \"«hunter2»\"}",
    "{\"value\":\"«hunter2»\",\"name\":\"password\"}",
    "{\\u0022password\\u0022:\\u0022«hunter2»\\u0022,\\u0022page\\u0022:2}",
    // XML.
    "<user><password>«hunter2»</password><name>ada</name></user>",
    "<user password=\"«hunter2»\" name=\"ada\"/>",
    "<user password='«hunter2»' name='ada'/>",
    "<wsse:Password Type=\"x\">«hunter2»</wsse:Password>",
    "<add key=\"ApiKey\" value=\"«hunter2»\" />",
    "<member><name>password</name><value><string>«hunter2»</string></value></member>",
    "<string name=\"api_key\">«hunter2»</string>",
    "&lt;password&gt;«hunter2»&lt;/password&gt;",
    // YAML, TOML, properties, environment.
    "db:\n  password: «hunter2»\n  port: 5\n",
    "db:\n  password: «swordfish»\n  port: 5\n",
    "db:\n  password: '«hunter2»'\n  port: 5\n",
    "password: |\n  «hunter2»\nport: 5",
    "password: >-\n  «hunter2»\nport: 5",
    "- name: DB_PASSWORD\n  value: «hunter2»\n- name: PORT\n  value: 5\n",
    "password = \"«hunter2»\"\nport = 5",
    "password = \"\"\"«hunter2»\"\"\"\nport = 5",
    "DB_PASSWORD=«hunter2»\nPORT=5",
    "export DB_PASSWORD=«hunter2»\nexport PORT=5",
    "export DB_PASSWORD='«hunter2»'\nexport PORT=5",
    "spring.datasource.password=«hunter2»\nport=5",
    "DB_PASSWORD=«hunter2» PORT=5 app",
    "SECRET_KEY_BASE=«0123abc»",
    "//registry.example.org/:_authToken=«abc-def»",
    "Server=db;User Id=sa;Password=«hunter2»;Encrypt=true",
    "Driver=x;UID=sa;PWD=«hunter2»;Port=5",
    "host=db user=shop password=«hunter2» dbname=shop",
    "host=db password='«hunter 2»' dbname=shop",
    "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=«abcd/efg+hij==»;EndpointSuffix=core.windows.net",
    "Endpoint=sb://a.servicebus.windows.net/;SharedAccessKeyName=«root»;SharedAccessKey=«abcdefg=»",
    "https://a.blob.core.windows.net/c/b?sv=2022-11-02&sp=r&sig=«abc%2Bdef%3D»&se=2026",
    "jdbc:postgresql://db/shop?user=ada&password=«hunter2»",
    "jdbc:oracle:thin:ada/«hunter2»@db:1521/shop",
    "aws_access_key_id = «AKIDEXAMPLE»\naws_secret_access_key = «wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»\n",
    "AWS secret key: «wJalrXUtnFEMI/K7MDENG»",
    "SecretAccessKey: «wJalrXUtnFEMI/K7MDENG»",
    // SQL.
    "CREATE USER ada IDENTIFIED BY '«hunter2»'",
    "create user 'ada'@'%' identified by \"«hunter2»\" require ssl",
    "ALTER USER ada IDENTIFIED WITH mysql_native_password BY '«hunter2»'",
    "CREATE ROLE ada WITH LOGIN PASSWORD '«hunter2»' VALID UNTIL 'infinity'",
    "ALTER USER ada WITH ENCRYPTED PASSWORD '«it''s»';",
    "SET PASSWORD FOR ada = PASSWORD(«'hunter2'»)",
    "SET PASSWORD FOR 'ada'@'a' = '«hunter2»'",
    "UPDATE users SET password='«hunter2»', name='ada' WHERE id=1",
    "UPDATE users SET password = E'«hunter2»', name='ada' WHERE id=1",
    "INSERT INTO users (name, password) VALUES («'ada', 'hunter2'»)",
    "INSERT INTO users (name, password) VALUES («'ada', 'hunter2'»), («'bob', 'abc'») RETURNING id",
    "INSERT INTO users SET name='ada', password='«hunter2»'",
    // URLs.
    "postgres://shop:«hunter2»@db:5432/shop",
    "postgres://shop:«h%40nter%2F2»@db:5432/shop",
    "postgres://shop:«h@nter@2»@db:5432/shop",
    "mysql+pymysql://shop:«hunter2»@db/shop?charset=utf8",
    "amqps://shop:«hunter2»@mq:5671/%2f",
    "redis://:«hunter2»@cache:6379/0",
    "redis://default:«hunter2»@cache:6379/0",
    "rediss://:«hunter2»@cache:6379/0, timed out",
    "mongodb+srv://shop:«hunter2»@cluster0.example.net/shop",
    "mongodb://shop:«hunter2»@a:1,b:2,c:3/shop",
    "smtp://ada%40shop.example:«hunter2»@mail:25",
    "sftp://ada:«hunter2»@files/a, ftp://bob:«abc»@files/b",
    "cannot clone 'https://oauth2:«hunter2»@gitlab.com/a/b.git': 403",
    "https://«0123456789abcdef0123456789abcdef»@o1.ingest.sentry.io/1",
    "https://0123456789abcdef:«fedcba9876543210»@sentry.io/1",
    "{\"url\":\"postgres://shop:«hunter2»@db/shop\",\"size\":5}",
    "{\\\"url\\\":\\\"postgres://shop:«hunter2»@db/shop\\\"}",
    "{\"url\":\"postgres:\\/\\/shop:«hunter2»@db\\/shop\"}",
    "url=postgres%3A%2F%2Fshop%3A«hunter2»%40db%2Fshop",
    "(redis://:«hunter2»@cache:6379/0)",
    "<redis://:«hunter2»@cache:6379/0>",
    "first line\nDATABASE_URL=postgres://shop:«hunter2»@db/shop\nlast line",
    "postgres://shop:«h#nt?r2»@db/shop",
    "postgres://shop:«[hunter](2)»@db/shop",
    "shop:hunter2 is no URL, http://ada:«b»@h is one",
    // Command lines.
    "curl -u ada:«hunter2» https://shop.example",
    "curl -sS -u 'ada:«hunter 2»' https://shop.example",
    "curl -u \"ada:«hunter2»\" https://shop.example",
    "curl -uada:«hunter2» https://shop.example",
    "curl --user ada:«hunter2» https://shop.example",
    "curl --user=ada:«hunter2» https://shop.example",
    "curl --proxy-user ada:«hunter2» https://shop.example",
    "/usr/bin/curl https://shop.example -u ada:«hunter2»",
    "curl \\\n  -u ada:«hunter2» \\\n  https://shop.example",
    "Command '['curl', '-u', 'ada:«hunter2»', 'https://a']' returned non-zero exit status 22.",
    "exec: [\"curl\", \"-u\", \"ada:«hunter2»\", \"https://a\"]",
    "{\\\"cmd\\\": \\\"curl -u ada:«hunter2» https://a\\\"}",
    "curl -H 'Authorization: «Bearer hunter2»' https://a",
    "curl -H \"X-Api-Key: «hunter2»\" https://a",
    "curl -d '{\"password\":\"«hunter2»\"}' https://a",
    "curl -d 'password=«hunter2»&user=ada' https://a",
    "curl -b 'sid=«abc»' https://a",
    "http -a ada:«hunter2» https://a",
    "wget --user=ada --password=«hunter2» https://a",
    "wget --http-password «hunter2» https://a",
    "mysql -u root -p«hunter2» shop",
    "mysql -uroot -p'«hunter2»' shop",
    "mysqldump --host db --password=«hunter2» shop",
    "mysqldump --host db --password «hunter2» shop > a.sql",
    "mysql --password «swordfish» -h db",
    "PGPASSWORD=«hunter2» psql -h db shop",
    "PGPASSWORD='«hunter2»' psql -h db shop",
    "MYSQL_PWD=«hunter2» mysql",
    "redis-cli -h cache -a «hunter2» ping",
    "redis-cli --pass «hunter2» ping",
    "sshpass -p «hunter2» ssh ada@a",
    "sshpass -p'«hunter2»' ssh ada@a",
    "docker login -u ada -p «hunter2» registry.example",
    "docker run -e DB_PASSWORD=«hunter2» -p 80:80 -u 1000:1000 shop",
    "ldapsearch -x -D cn=a -w «hunter2» -b dc=a",
    "unzip -P «hunter2» a.zip",
    "7z x -p«hunter2» a.7z",
    "smbclient //a/b -U ada%«hunter2»",
    "sqlcmd -S a -U sa -P «hunter2»",
    "mongosh --username ada -p «hunter2» shop",
    "openssl rsa -passin pass:«swordfish» -in a.pem",
    "app --api-key «abc» --page 2",
    "app --token=«abc» --page 2",
    "app -password «hunter2» -page 2",
    "java -Dspring.datasource.password=«hunter2» -jar a.jar",
    "kubectl --token \"«abc.def»\" get pods",
    "git clone https://ada:«hunter2»@git.example/a",
    "keytool -storepass «hunter2» -list",
    "/bin/sh -c \"mysql -p«hunter2» shop\" failed",
    // Prose.
    "login failed for ada with password '«hunter2»'",
    "wrong password \"«hunter2»\" for ada",
];

/// Splits a table entry into the text and the expected result.
fn planted(entry: &str) -> (String, String) {
    let (mut text, mut expected) = (String::new(), String::new());
    for (number, part) in entry.split(['«', '»']).enumerate() {
        text.push_str(part);
        expected.push_str(if number % 2 == 1 { REDACTED } else { part });
    }
    (text, expected)
}

#[test]
fn planted_secrets_vanish_and_the_rest_stays() {
    let secrets = Secrets::default();
    let mut wrong = Vec::new();
    for entry in CONTEXTS {
        let (text, expected) = planted(entry);
        let scrubbed = secrets.scrub(&text);
        if scrubbed != expected {
            wrong.push(format!("{text:?}\n  gave     {scrubbed:?}\n  expected {expected:?}"));
        }
        assert_eq!(secrets.scrub(&scrubbed), scrubbed, "scrubbing twice changes nothing more");
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), CONTEXTS.len(), wrong.join("\n"));
}

/// Tokens, each as its prefix and the rest, so that no scanner takes this file for a leak.
const TOKENS: &[(&str, &str)] = &[
    ("AKIA", "IOSFODNN7EXAMPLE"),
    ("ASIA", "IOSFODNN7EXAMPLE"),
    ("AIza", "SyDaGmWKa4JsXZ-HjGw7ISLn_3namBGewQe"),
    ("GOCSPX", "-0123456789abcdefghijklmn_-0"),
    ("ya29", ".a0AfH6SMBx0123456789abcdefghijkl"),
    ("dop_v1", "_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
    ("ghp", "_0123456789abcdefghijABCDEFGHIJ012345"),
    ("gho", "_0123456789abcdefghijABCDEFGHIJ012345"),
    ("ghu", "_0123456789abcdefghijABCDEFGHIJ012345"),
    ("ghs", "_0123456789abcdefghijABCDEFGHIJ012345"),
    ("ghr", "_0123456789abcdefghijABCDEFGHIJ012345"),
    ("github_pat", "_11ABCDEFG0123456789_abcdefghijklmnopqrstuvwxyz0123456789"),
    ("glpat", "-0123456789abcdefghij"),
    ("glpat", "-abc_defghijklmnop.01.0w1a2b3c4"),
    ("glrt", "-0123456789abcdefghij"),
    ("ATBB", "0123456789abcdefghijABCDEFGH12345678"),
    ("ATATT3", "xFfGF0abc-def_0123456789=ABCDEF01"),
    ("sk_live", "_0123456789abcdefghijABCD"),
    ("sk_test", "_0123456789abcdefghijABCD"),
    ("rk_live", "_0123456789abcdefghijABCD"),
    ("whsec", "_0123456789abcdefghijABCDEFGH/+=="),
    ("sq0atp", "-0123456789abcdefghij_-"),
    ("sq0csp", "-0123456789abcdefghij_-0123456789abcdefghij"),
    ("access_token$", "production$0123456789abcdef$0123456789abcdef0123456789abcdef"),
    ("shpat", "_0123456789abcdef0123456789abcdef"),
    ("xoxb", "-123456789012-1234567890123-0123456789abcdefghijABCD"),
    ("xoxp", "-123456789012-123456789012-0123456789abcdef0123456789abcdef"),
    ("xoxa", "-2-123456789012-abc"),
    ("xoxr", "-123456789012-abc"),
    ("xoxs", "-123456789012-abc"),
    ("xapp", "-1-A0123456789-1234567890123-0123456789abcdef"),
    ("SG", ".0123456789abcdefghijAB.0123456789abcdefghij0123456789abcdefghij012"),
    ("key", "-0123456789abcdef0123456789abcdef"),
    ("SK", "0123456789abcdef0123456789abcdef"),
    ("xkeysib", "-0123456789abcdef0123456789abcdef-ABCDEFGH01234567"),
    ("npm", "_0123456789abcdefghijABCDEFGHIJ012345"),
    ("pypi", "-AgEIcHlwaS5vcmcCJDAxMjM0NTY3LTg5YWItY2RlZi0wMTIzLTQ1Njc4OWFiY2RlZg"),
    ("rubygems", "_0123456789abcdef0123456789abcdef0123456789abcdef"),
    ("dckr_pat", "_0123456789abcdefghij_-01234"),
    ("sk", "-0123456789abcdefghijT3BlbkFJ0123456789abcdefghij"),
    ("sk-proj", "-0123456789_abcdefghij-T3BlbkFJ0123456789"),
    ("sk-ant", "-api03-0123456789abcdefghij_-0123456789abcdefghijAA"),
    ("hf", "_abcdefghijklmnopqrstuvwxyzABCDEFGH"),
    ("gsk", "_0123456789abcdefghijABCDEFGHIJ0123456789abcdefghijAB"),
    ("sntrys", "_eyJpYXQiOjE2OTAwMDAwMDAuMDAwMDAwfQ==_0123456789abcdefghij"),
    ("NRAK", "-0123456789ABCDEFGHIJ0123456"),
    ("glsa", "_0123456789abcdefghijABCDEFGHIJ01_0123abcd"),
    ("HRKU", "-01234567-89ab-cdef-0123-456789abcdef"),
    ("hvs", ".CAESI0123456789abcdefghij_-0123456789"),
    ("lin_api", "_0123456789abcdefghijABCDEFGHIJ0123456789"),
    ("tskey", "-auth-k0123456789CNTRL-0123456789abcdefghij"),
    ("AGE-SECRET-KEY", "-1QQQSYQCYQ5RQWZQFPG9SCRGWPUGPZYSNZS23V9CCRYDPK8QARC0S"),
    ("eyJhbGciOiJIUzI1NiJ9", ".eyJzdWIiOiJhZGEifQ.0123456789abcdefghij_-"),
];

/// Text around a token, which replaces `«»`. No text names the token.
const AROUND: &[&str] = &[
    "«»",
    "using «» for ada",
    "using «».",
    "it is '«»', they say",
    "{\"a\": \"«»\"}",
    "{\\\"a\\\": \\\"«»\\\"}",
    "first line\n«»\nlast line",
    "first line\\n«»\\nlast line",
    "a=«»&b=2",
    "a%3D«»%26b%3D2",
    "https://shop.example/a/«»?page=2",
    "Some(\"«»\")",
    "<a>«»</a>",
    "[«», 2]",
    "x:«»",
];

#[test]
fn tokens_of_known_forms_vanish() {
    let secrets = Secrets::default();
    for (prefix, rest) in TOKENS {
        for around in AROUND {
            let text = around.replace("«»", &format!("{prefix}{rest}"));
            let expected = around.replace("«»", REDACTED);
            assert_eq!(secrets.scrub(&text), expected, "{text}");
            assert_eq!(secrets.scrub_source(&text), expected, "{text}");
        }
        // A prefix alone is not a token.
        assert_eq!(secrets.scrub(prefix), *prefix);
    }
}

#[test]
fn hooks_keep_their_host() {
    let hooks = [
        ("https://hooks.slack.com/services/", "T01234567/B01234567/0123456789abcdefghijABCD"),
        ("https://discord.com/api/webhooks/", "123456789012345678/0123456789abcdefghij_-ABCD"),
        ("https://discordapp.com/api/webhooks/", "123456789012345678/0123456789abcdefghij_-ABCD"),
        ("https://api.telegram.org/bot123456789:", "AAF0123456789abcdefghij-_ABCDEFGHIJ"),
    ];
    for (host, rest) in hooks {
        let text = format!("POST {host}{rest} failed");
        assert_eq!(Secrets::default().scrub(&text), format!("POST {host}{REDACTED} failed"));
    }
}

/// Texts that look like secrets, and stay as they are.
const HARMLESS: &[&str] = &[
    // Hashes, ids, versions.
    "commit 0123456789abcdef0123456789abcdef01234567 (tag: v1.2.3)",
    "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "request 7f9c24e8-3b12-4fef-91e0-56a2d6d2c7b1 took 12 ms",
    "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "X-Request-Id: 0af7651916cd43dd8448eb211c80319c",
    "etag: W/\"0af7651916cd43dd8448eb211c80319c\"",
    "sri sha512-0123456789abcdefghijABCDEFGHIJ0123456789abcdefghijABCDEFGHIJ==",
    "arn:aws:iam::123456789012:role/shop-production-worker",
    "i-0123456789abcdef0, vpc-0123456789abcdef0, ami-0123456789abcdef0",
    "cus_0123456789abcdef, pi_0123456789abcdefghij, evt_0123456789abcdefghij",
    "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    // Paths, modules, identifiers.
    "/usr/lib/python3.12/site-packages/flask/sessions.py",
    "/home/ada/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/tokio-1.54.1/src/runtime/task/harness.rs",
    "node_modules/express-session/index.js:142:7",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.sessions.backends.db.SessionStore",
    "shop.views.reset_password_confirm",
    "ActionController::InvalidAuthenticityToken",
    "core::ptr::drop_in_place<shop::auth::Token>",
    "<shop::auth::TokenStore as core::ops::Drop>::drop",
    "PasswordResetTokenGenerator.make_token",
    "npm_config_user_agent, npm_lifecycle_event_of_the_package",
    "ghp_short, sk-learn, sk-estimator-id-1, key-value-store, SG.Small, SKU0123456789",
    "pypi-publish-action-for-the-whole-organization",
    "task-0123456789abcdefghij, disk-0123456789abcdefghij",
    // Requests and headers.
    "GET /api/v1/tokens/7/sessions?page=2 HTTP/1.1",
    "WWW-Authenticate: Basic realm=\"shop\"",
    "Basic authentication failed, Basic information, Basic configuration",
    "Bearer authentication is required",
    "Content-Type: application/x-www-form-urlencoded; charset=utf-8",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Safari/605.1.15",
    "Accept-Language: en-GB,en;q=0.9,de;q=0.8",
    "mailto:ada@shop.example, ssh ada@shop.example",
    "https://shop.example/@ada/post:2 and https://shop.example/?to=ada@shop.example",
    "url=https%3A%2F%2Fshop.example%2Fa%3Fpage%3D2%26to%3Dada%40shop.example",
    "q=100%25&name=%C3%9C",
    // Messages.
    "KeyError: 'password'",
    "unknown field `token`, expected one of `name`, `page`",
    "required: [\"password\", \"email\"], optional: ['token', 'name', 'page']",
    "fields ('name', 'page') are missing",
    "the password '{}' is wrong",
    "the session 'checkout' was not found",
    "the list identified by 'books' is empty",
    "error: unexpected argument '--password' found",
    "error: the following required arguments were not provided: --token <TOKEN>",
    "usage: app [-h] [--password PASSWORD] [--user USER] --token-file FILE",
    "the --password option is missing, use --token to set it",
    "docker run -p 8080:80 -u 1000:1000 shop",
    "mkdir -p /var/lib/shop && ssh -p 22 ada@shop.example",
    "mysql -u root -p shop",
    "mysql -u root --port 3306 --protocol tcp shop",
    "curl -u ada https://shop.example",
    "chown -R ada:staff /srv && ps -u ada -o pid",
    "curl -sS -o a.json -H 'Accept: */*' https://shop.example",
    "app --password-file /run/a --session-timeout 30 --no-password x",
    "app --password $PASSWORD --token ${TOKEN}",
    "rsync -avz --delete a b",
    "a - b, a -- b, 2026-11-27 - 2026-11-28",
    // SQL.
    "SELECT id, password, token FROM users WHERE id = 7 AND name = 'ada'",
    "INSERT INTO users (name, password) VALUES ($1, $2), ($3, $4)",
    "INSERT INTO users (name, password) VALUES (?, ?)",
    "INSERT INTO books (title, author) VALUES ('Emma', 'Austen')",
    "ALTER TABLE users ADD COLUMN password TEXT NOT NULL",
    "CREATE USER ada IDENTIFIED BY ?",
    // Structures.
    "{Name:ada Page:2 Author:austen}",
    "map[name:ada page:2]",
    "password: |\nport: 5",
    "- name: PORT\n  value: 5\n- name: HOST\n  value: db\n",
    "{\"name\":\"page\",\"value\":\"2\"}",
    "<key>page</key><string>2</string>",
    "&lt;page&gt;2&lt;/page&gt;",
];

#[test]
fn harmless_texts_are_unchanged() {
    let secrets = Secrets::default();
    let mut wrong = Vec::new();
    for text in HARMLESS {
        let scrubbed = secrets.scrub(text);
        if scrubbed != *text {
            wrong.push(format!("{text}\n  gave {scrubbed}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), HARMLESS.len(), wrong.join("\n"));
}

#[test]
fn harmless_source_is_unchanged() {
    let lines = [
        "from flask import session, request, g",
        "    token = request.headers.get('Authorization')",
        "    if not check_password(user.password, password):",
        "    return self.session.execute(query, {'page': page})",
        "parser.add_argument('--password', help='the password')",
        "@click.option(\"--token\", \"token\", required=True)",
        "fields = ('password', 'email')",
        "  attr_accessor :password, :token",
        "let token: Token = auth::token(&headers)?;",
        "pub fn verify(password: &str, hash: &str) -> Result<(), Error> {",
        "message = \"Enter the password '\" + name + \"'\"",
        "const token = await getToken({ req, secret });",
        "x = total -token_count - 1",
        "session.pop('user_id', None)",
        "raise ValidationError({'password': _('This password is too short.')})",
    ];
    let secrets = Secrets::default();
    let changed: Vec<_> =
        lines.iter().map(|line| secrets.scrub_source(line)).filter(|line| line.contains(REDACTED)).collect();
    assert!(changed.is_empty(), "{changed:#?}");
}

#[test]
fn keys_of_maps_lose_their_secret() {
    let secrets = Secrets::default();
    let token = concat!("ghp", "_0123456789abcdefghijABCDEFGHIJ012345");
    let keys = [
        ("password=hunter2", "password=[REDACTED]"),
        ("{\"password\": \"hunter2\"}", "{\"password\": \"[REDACTED]\"}"),
        ("postgres://shop:hunter2@db/shop", "postgres://shop:[REDACTED]@db/shop"),
        (token, REDACTED),
        ("password", "password"),
        ("HTTP_AUTHORIZATION", "HTTP_AUTHORIZATION"),
        ("user[password]", "user[password]"),
    ];
    for (key, expected) in keys {
        assert_eq!(secrets.scrub(key), expected);
    }
}
