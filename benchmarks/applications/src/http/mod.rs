//! A small HTTP/1.1 client, which shows responses as they were sent.

mod answer;
mod body;
mod client;
mod message;

pub use answer::Answer;
pub use client::Client;
