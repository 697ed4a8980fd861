//! Servers that tests start, each on its own port and in its own directory.
//!
//! PostgreSQL, RabbitMQ, MariaDB and Redis are the programs of Debian's packages. [`Opbeat`] is this project's binary.
//! A server ends when its value is dropped, or when the test process ends, however it ends.

pub mod mariadb;
mod opbeat;
pub mod postgres;
mod program;
pub mod rabbitmq;
pub mod redis;
mod server;

pub use opbeat::Opbeat;
pub use postgres::Postgres;
pub use rabbitmq::Rabbitmq;
