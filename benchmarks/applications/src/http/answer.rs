//! The answer to one request.

/// A response as it was received. The status 0 means that the connection was closed without a response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// The headers, sorted: actix sends them in a random order.
    pub headers: Vec<(String, String)>,
    /// The response body without its chunks, or the text of the websocket's message.
    pub body: Vec<u8>,
}

impl Answer {
    /// Returns the value of a header, whose name must be in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns the part of the headers and the body between two texts.
    pub fn between(&self, before: &str, after: &str) -> Option<String> {
        let headers: String = self.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        let text = headers + &String::from_utf8_lossy(&self.body);
        let (_, rest) = text.split_once(before)?;
        rest.split_once(after).map(|(part, _)| part.to_owned())
    }
}
