//! The database.

use opbeat_core::in_span;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{Row, SqlitePool};

/// A book.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct Book {
    pub(crate) id: i64,
    pub(crate) title: String,
    pub(crate) author: String,
}

const BOOKS: [(&str, &str); 8] = [
    ("Emma", "Jane Austen"),
    ("Middlemarch", "George Eliot"),
    ("The Count of Monte Cristo", "Alexandre Dumas"),
    ("Moby-Dick", "Herman Melville"),
    ("Anna Karenina", "Leo Tolstoy"),
    ("Frankenstein", "Mary Shelley"),
    ("Dracula", "Bram Stoker"),
    ("Walden", "Henry David Thoreau"),
];

/// Opens a database in memory with a few books in it.
pub(crate) async fn open() -> sqlx::Result<SqlitePool> {
    // One connection, since each one to `:memory:` has a database of its own.
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(SqliteConnectOptions::new().in_memory(true))
        .await?;
    sqlx::query("CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT, author TEXT)").execute(&pool).await?;
    sqlx::query("CREATE TABLE orders (id INTEGER PRIMARY KEY, book INTEGER)").execute(&pool).await?;
    for (title, author) in BOOKS {
        sqlx::query("INSERT INTO books (title, author) VALUES (?, ?)").bind(title).bind(author).execute(&pool).await?;
    }
    Ok(pool)
}

/// Returns all books.
pub(crate) async fn all(database: &SqlitePool) -> sqlx::Result<Vec<Book>> {
    const SQL: &str = "SELECT id, title, author FROM books ORDER BY title";
    let query = sqlx::query(SQL).fetch_all(database);
    let rows = in_span("SELECT FROM books", "db.sqlite.query", query).extra("sql", SQL).await?;
    rows.iter().map(book).collect()
}

/// Returns one book.
pub(crate) async fn find(database: &SqlitePool, id: i64) -> sqlx::Result<Option<Book>> {
    const SQL: &str = "SELECT id, title, author FROM books WHERE id = ?";
    let query = sqlx::query(SQL).bind(id).fetch_optional(database);
    let row = in_span("SELECT FROM books", "db.sqlite.query", query).extra("sql", SQL).await?;
    row.as_ref().map(book).transpose()
}

/// Stores an order.
pub(crate) async fn order(database: &SqlitePool, book: i64) -> sqlx::Result<()> {
    const SQL: &str = "INSERT INTO orders (book) VALUES (?)";
    let query = sqlx::query(SQL).bind(book).execute(database);
    in_span("INSERT INTO orders", "db.sqlite.query", query).extra("sql", SQL).await.map(drop)
}

fn book(row: &sqlx::sqlite::SqliteRow) -> sqlx::Result<Book> {
    Ok(Book { id: row.try_get("id")?, title: row.try_get("title")?, author: row.try_get("author")? })
}
