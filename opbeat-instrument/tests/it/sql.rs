//! Signatures and texts of SQL statements. No value of a statement is part of them.

use std::fmt::Write;
use std::time::Instant;

use insta::assert_snapshot;
use opbeat_instrument::sql::Statement;

fn table(statements: &[&str]) -> String {
    let mut out = String::new();
    for sql in statements {
        let statement = Statement::of(sql);
        let line = format!("{:<28} {}", statement.signature(), statement.text());
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}

#[test]
fn signatures_name_the_operation_and_the_table() {
    assert_snapshot!(table(&[
        "SELECT 1",
        "select title, author from books where id = $1",
        "SELECT * FROM (SELECT id FROM books WHERE year > 1999) AS b WHERE id < 5",
        "SELECT EXTRACT(YEAR FROM published) FROM books",
        "SELECT a IS DISTINCT FROM 'x' FROM books",
        "SELECT * FROM public.books b JOIN authors a ON a.id = b.author",
        r#"SELECT "books"."id", "books"."title" FROM "books" WHERE "books"."id" = $1 LIMIT $2"#,
        "SELECT `books`.`id` FROM `shop`.`books` WHERE `name` = 'Emma'",
        "(SELECT a FROM x) UNION (SELECT b FROM y)",
        "INSERT INTO books (title, year) VALUES ('Emma', 1815), ('Persuasion', -1817) RETURNING id",
        r#"INSERT INTO "books" ("title") VALUES (?) RETURNING "id""#,
        "INSERT OR IGNORE INTO books VALUES (?1, ?2)",
        "REPLACE INTO books SET title = 'Emma'",
        r#"UPDATE "books" SET "title" = 'x' WHERE "id" = 5 AND "year" BETWEEN 1 AND 2"#,
        "UPDATE OR IGNORE books SET stock = stock - 1",
        "DELETE FROM books WHERE id IN (1,2,3) AND author IN (SELECT id FROM authors WHERE x = 'y')",
        "MERGE INTO stock USING orders ON stock.id = orders.id WHEN MATCHED THEN DELETE",
        "WITH recent AS (SELECT id FROM books WHERE year > 1990) SELECT title FROM recent",
        "WITH gone AS (DELETE FROM books RETURNING id) INSERT INTO log SELECT id FROM gone",
    ]), @r#"
    SELECT                       SELECT ?
    SELECT FROM books            select title, author from books where id = ?
    SELECT FROM books            SELECT * FROM (SELECT id FROM books WHERE year > ?) AS b WHERE id < ?
    SELECT FROM books            SELECT EXTRACT(YEAR FROM published) FROM books
    SELECT FROM books            SELECT a IS DISTINCT FROM ? FROM books
    SELECT FROM public.books     SELECT * FROM public.books b JOIN authors a ON a.id = b.author
    SELECT FROM books            SELECT "books"."id", "books"."title" FROM "books" WHERE "books"."id" = ? LIMIT ?
    SELECT FROM shop.books       SELECT `books`.`id` FROM `shop`.`books` WHERE `name` = ?
    SELECT FROM x                (SELECT a FROM x) UNION (SELECT b FROM y)
    INSERT INTO books            INSERT INTO books (title, year) VALUES (?) RETURNING id
    INSERT INTO books            INSERT INTO "books" ("title") VALUES (?) RETURNING "id"
    INSERT INTO books            INSERT OR IGNORE INTO books VALUES (?)
    REPLACE INTO books           REPLACE INTO books SET title = ?
    UPDATE books                 UPDATE "books" SET "title" = ? WHERE "id" = ? AND "year" BETWEEN ? AND ?
    UPDATE books                 UPDATE OR IGNORE books SET stock = stock - ?
    DELETE FROM books            DELETE FROM books WHERE id IN (?) AND author IN (SELECT id FROM authors WHERE x = ?)
    MERGE INTO stock             MERGE INTO stock USING orders ON stock.id = orders.id WHEN MATCHED THEN DELETE
    SELECT FROM recent           WITH recent AS (SELECT id FROM books WHERE year > ?) SELECT title FROM recent
    INSERT INTO log              WITH gone AS (DELETE FROM books RETURNING id) INSERT INTO log SELECT id FROM gone
    "#);
}

#[test]
fn signatures_of_other_statements_name_the_operation() {
    assert_snapshot!(table(&[
        "CREATE TABLE IF NOT EXISTS books (id INTEGER PRIMARY KEY, title TEXT DEFAULT 'none')",
        "CREATE UNIQUE INDEX CONCURRENTLY by_title ON books (title)",
        "DROP TABLE books",
        "ALTER TABLE books ADD COLUMN year INT DEFAULT 7",
        "TRUNCATE TABLE books",
        "CALL restock('all', 3)",
        "BEGIN IMMEDIATE",
        "START TRANSACTION READ ONLY",
        "COMMIT",
        "ROLLBACK TO SAVEPOINT _sqlx_savepoint_1",
        "-- a comment\n/* another */ SELECT a -- rest\nFROM books",
        "BEGIN; DELETE FROM books; COMMIT;",
        "PRAGMA foreign_keys = ON",
        "SET application_name TO shop, admin; SELECT title FROM books",
        "SELECT $1::int, x::text, CAST(y AS int) FROM t WHERE name ILIKE :name AND a = @b AND c = ARRAY[1, 2]",
        "SELECT data ->> 'k', data #>> '{a}' FROM docs WHERE data @> '{}' AND n = -5 AND d = now() - interval '3 days'",
        "this is no SQL",
        "SELEC title FORM books",
        "",
        "  \n ",
        "'text'",
        "; SELECT a FROM b",
    ]), @r"
    CREATE TABLE books           CREATE TABLE IF NOT EXISTS books (id INTEGER PRIMARY KEY, title TEXT DEFAULT ?)
    CREATE INDEX by_title        CREATE UNIQUE INDEX CONCURRENTLY by_title ON books (title)
    DROP TABLE books             DROP TABLE books
    ALTER TABLE books            ALTER TABLE books ADD COLUMN year INT DEFAULT ?
    TRUNCATE books               TRUNCATE TABLE books
    CALL restock                 CALL restock(?)
    BEGIN                        BEGIN IMMEDIATE
    START TRANSACTION            START TRANSACTION READ ONLY
    COMMIT                       COMMIT
    ROLLBACK                     ROLLBACK TO SAVEPOINT _sqlx_savepoint_1
    SELECT FROM books            SELECT a FROM books
    BEGIN                        BEGIN; DELETE FROM books; COMMIT;
    PRAGMA                       PRAGMA foreign_keys = ?
    SET                          SET application_name TO ?, ?; SELECT title FROM books
    SELECT FROM t                SELECT ?::int, x::text, CAST(y AS int) FROM t WHERE name ILIKE ? AND a = @b AND c = ARRAY[?]
    SELECT FROM docs             SELECT data ->> ?, data #>> ? FROM docs WHERE data @> ? AND n = ? AND d = now() - interval ?
    THIS                         this is no SQL
    SELEC                        SELEC title FORM books


                                 ?
    SELECT FROM b                ; SELECT a FROM b
    ");
}

/// Statements with the text `secret` only in literals, comments and broken rests.
const WITH_SECRETS: &[&str] = &[
    "SELECT * FROM t WHERE a = 'secret'",
    "SELECT * FROM t WHERE a = 'it''s secret' AND b = 'secret''secret'",
    r"SELECT * FROM t WHERE a = 'it\'s secret' AND b = 'x'",
    r"SELECT * FROM t WHERE a = 'C:\' AND b = ' secret'",
    r"SELECT * FROM t WHERE a = '\\\' secret' OR b = 'x'",
    "SELECT * FROM t WHERE a = 'it's secret'",
    "SELECT * FROM t WHERE a = 'O'Brien secret'",
    "SELECT * FROM t WHERE a = 'O' Brien secret",
    "SELECT * FROM t WHERE a = 'O' secret' AND b = 'x'",
    "SELECT * FROM t WHERE a = 'secret",
    "SELECT * FROM t WHERE a = \"secret",
    "SELECT * FROM t WHERE a = \"secret\"",
    "SELECT * FROM t WHERE a LIKE \"%secret%\" AND b IN (\"secret\", \"secret\")",
    "INSERT INTO t (a) VALUES (\"secret\"), (\"secret\")",
    "INSERT INTO \"t\" (\"a\") VALUES (\"secret\")",
    "SELECT \"a\".\"b\", coalesce(\"secret\", 'secret') FROM \"a\" WHERE \"a\".\"b\" = \"secret\"",
    "SELECT trim(LEADING 'x' FROM \"secret\") FROM t",
    "UPDATE \"t\" SET \"a\" = \"secret\" WHERE \"b\" BETWEEN \"secret\" AND \"secret\"",
    "SELECT * FROM \"t\" WHERE \"a\" IS DISTINCT FROM \"secret\"",
    "SELECT \"it\\\"s secret\", 'x' FROM t",
    r"SELECT E'it\'s secret', e'secret\\' FROM t",
    r"SELECT U&'\0061secret', u&'secret' FROM t",
    "SELECT N'secret', n'secret', B'secret', b'secret', X'secret', x'73secret', R'secret', r\"secret\" FROM t",
    "SELECT _utf8'secret', _latin1 'secret' COLLATE latin1_bin FROM t",
    "SELECT DATE 'secret', TIMESTAMP 'secret', INTERVAL 'secret' DAY",
    "SELECT $$secret$$, $a$secret $$ secret$a$ FROM t",
    "SELECT $a$secret",
    "SELECT $$ secret",
    "SELECT a /* secret */, b -- secret\n, c FROM t /*+ secret */",
    "SELECT a /* x /* secret */ secret */ FROM t",
    "SELECT a /* secret",
    "SELECT a # secret\nFROM t",
    "SELECT a #secret\nFROM t",
    "SELECT a --'\n secret' FROM t",
    "COPY t FROM STDIN;\nsecret\tsecret\n\\.\n",
    "PRAGMA key = secret",
    "PRAGMA key(secret)",
    "SET SESSION token TO secret, secret",
    "SET @a = secret",
    "BEGIN; SET LOCAL app.token = secret",
    "SELECT 1; PRAGMA key = secret",
    "SET a = 1; SELECT b FROM t; SET a = secret",
    "CREATE USER u IDENTIFIED BY 'secret'",
    "ALTER USER u PASSWORD 'secret'",
    "SELECT * FROM t WHERE a = '💥secret' AND b = 'é''secret'",
    "SELECT 💥 secret",
    "SELECT * FROM t WHERE a IN ('secret', lower('secret'), -1)",
    "SELECT * FROM t WHERE (a, b) IN (('secret', 'secret'), ('secret', 'x'))",
    "INSERT INTO t VALUES ('secret', now()), ('secret', now())",
    "CALL p(\"secret\")",
    "SELECT CASE WHEN a THEN \"secret\" ELSE \"secret\" END FROM \"t\"",
    "VALUES ('secret')",
];

#[test]
fn no_literal_is_shown() {
    for sql in WITH_SECRETS {
        let statement = Statement::of(sql);
        let shown = format!("{} | {}", statement.signature(), statement.text());
        assert!(!shown.contains("secret"), "{sql}\n{shown}");
    }
}

#[test]
fn no_number_is_shown() {
    for number in ["4711", "-4711", "4711.5", ".4711", "4711e4711", "0x4711", "0X4711", "0b4711", "4_711_4711", "4711L"]
    {
        let statement = Statement::of(&format!("SELECT a FROM t WHERE n = {number} OR n IN ({number}, {number})"));
        assert!(!statement.text().contains("711"), "{number}: {}", statement.text());
    }
}

/// A statement that is cut at any byte is what a broken or shortened one looks like.
#[test]
fn no_literal_of_a_broken_statement_is_shown() {
    for sql in WITH_SECRETS {
        for cut in (0..sql.len()).filter(|&cut| sql.is_char_boundary(cut)) {
            let statement = Statement::of(&sql[..cut]);
            let shown = format!("{} {}", statement.signature(), statement.text());
            assert!(!shown.contains("secr"), "{}\n{shown}", &sql[..cut]);
        }
    }
}

#[test]
fn no_uuid_is_shown() {
    assert_snapshot!(table(&[
        "SELECT a FROM t WHERE id = f47ac10b-58cc-4372-a567-0e02b2c3d479",
        "SELECT a FROM t WHERE id=123e4567-e89b-12d3-a456-426614174000 AND b = 1",
        "SELECT a FROM t WHERE id IN (F47AC10B-58CC-4372-A567-0E02B2C3D479, 123e4567-e89b-12d3-a456-426614174000)",
        "INSERT INTO t (id, b) VALUES (f47ac10b-58cc-4372-a567-0e02b2c3d479, 'é')",
        "SELECT x_f47ac10b-b FROM t WHERE a - deadbeef-cafe > 1 -- f47ac10b-58cc-4372-a567-0e02b2c3d479",
    ]), @r"
    SELECT FROM t                SELECT a FROM t WHERE id = ?
    SELECT FROM t                SELECT a FROM t WHERE id=? AND b = ?
    SELECT FROM t                SELECT a FROM t WHERE id IN (?)
    INSERT INTO t                INSERT INTO t (id, b) VALUES (?)
    SELECT FROM t                SELECT x_f47ac10b-b FROM t WHERE a - deadbeef-cafe > ?
    ");
}

#[test]
fn what_cannot_be_read_is_cut() {
    assert_snapshot!(table(&[
        r"SELECT a FROM t WHERE b = 'C:\' AND c = 5",
        "SELECT a FROM t WHERE b = 'O'Brien'",
        "SELECT a FROM t WHERE b = 'x' AND c = 'y",
        "SELECT a FROM t WHERE b /* open",
    ]), @r"
    SELECT FROM t                SELECT a FROM t WHERE b = ? …
    SELECT FROM t                SELECT a FROM t WHERE b = …
    SELECT FROM t                SELECT a FROM t WHERE b = …
    SELECT FROM t                SELECT a FROM t WHERE b …
    ");
}

#[test]
fn statements_are_limited_in_length() {
    let long = format!("SELECT {} FROM books", vec!["column"; 1_000].join(", "));
    let statement = Statement::of(&long);
    assert_eq!((statement.signature().as_ref(), statement.text().len()), ("SELECT FROM books", 2_048));
    let longer = format!("SELECT '{}', a FROM books", "x".repeat(1_000_000));
    assert_snapshot!(table(&[&longer]), @"SELECT                       SELECT …");
    let values = format!("SELECT a FROM t WHERE b IN ({}) AND c = 1", vec!["'x'"; 5_000].join(","));
    assert_snapshot!(table(&[&values]), @"SELECT FROM t                SELECT a FROM t WHERE b IN (?) AND c = ?");
}

#[test]
fn equal_statements_are_kept_once() {
    let (one, other) =
        (Statement::of("SELECT a FROM kept WHERE b = 1"), Statement::of("SELECT a FROM kept WHERE b = 22"));
    assert_eq!(one.text().as_ptr(), other.text().as_ptr());
    assert_eq!(one.signature().as_ptr(), other.signature().as_ptr());
}

#[test]
fn statements_that_control_transactions_are_known() {
    let controls = |sql: &str| Statement::of(sql).controls_transaction();
    assert!(
        ["BEGIN", "commit", "ROLLBACK TO x", "SAVEPOINT x", "RELEASE x", "START TRANSACTION"]
            .iter()
            .all(|sql| controls(sql))
    );
    assert!(!controls("SELECT a FROM commit") && !controls("START SLAVE") && !controls(""));
}

/// The time to read a hostile statement grows with its length and not with its square: 64 KiB in far less than a second.
#[test]
fn hostile_statements_take_linear_time() {
    let hostile =
        ["(", "IN (", "((SELECT FROM ", "VALUES (", "'\\", "\"a\".", "$a$", "/*", "WITH a AS (", "CASE ", ", (", "0-"];
    for part in hostile {
        let sql = part.repeat(65_536 / part.len());
        let started = Instant::now();
        let _ = Statement::of(&sql);
        assert!(started.elapsed().as_secs() < 2, "{part} took {:?}", started.elapsed());
    }
}
