//! The database.

use log::LevelFilter;
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
        // Shows the waits for a connection, and which line of the code issues a query.
        .acquire_time_level(LevelFilter::Debug)
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
    let rows = sqlx::query("SELECT id, title, author FROM books ORDER BY title").fetch_all(database).await?;
    rows.iter().map(book).collect()
}

/// Returns one book.
pub(crate) async fn find(database: &SqlitePool, id: i64) -> sqlx::Result<Option<Book>> {
    let query = sqlx::query("SELECT id, title, author FROM books WHERE id = ?").bind(id);
    let row = query.fetch_optional(database).await?;
    row.as_ref().map(book).transpose()
}

/// Stores an order.
pub(crate) async fn order(database: &SqlitePool, book: i64) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO orders (book) VALUES (?)").bind(book).execute(database).await.map(drop)
}

fn book(row: &sqlx::sqlite::SqliteRow) -> sqlx::Result<Book> {
    Ok(Book { id: row.try_get("id")?, title: row.try_get("title")?, author: row.try_get("author")? })
}
