//! Rust's backtraces, as `std::backtrace` prints them: the newest call is first.

use opbeat_protocol::Frame;

use super::parts::{Stack, split_location};

pub(super) fn parse(text: &str) -> Stack {
    let mut frames: Vec<Frame> = Vec::new();
    for line in text.lines() {
        let trimmed = line.trim();
        if let Some(location) = trimmed.strip_prefix("at ") {
            if let Some(frame) = frames.last_mut().filter(|frame| frame.filename.is_empty()) {
                set_location(frame, location);
            }
        } else if let Some((number, function)) = trimmed.split_once(": ")
            && number.parse::<u32>().is_ok()
        {
            frames.push(Frame { function: Some(function.to_owned()), in_app: Some(false), ..Frame::default() });
        }
    }
    frames.reverse();
    Stack { frames, causes: Vec::new() }
}

/// Sets the location of a frame. A frame without a location is not the application's own.
fn set_location(frame: &mut Frame, location: &str) {
    let (path, lineno, column) = split_location(location);
    let path = path.strip_prefix("./").unwrap_or(path);
    let is_library =
        ["/rustc/", "/.cargo/registry/", "/.cargo/git/", "/.rustup/"].iter().any(|part| path.contains(part));
    frame.filename = path
        .split_once("/src/")
        .map_or(path, |(crate_path, _)| {
            let start = crate_path.rfind('/').map_or(0, |slash| slash + 1);
            path.get(start..).unwrap_or(path)
        })
        .to_owned();
    frame.abs_path = Some(path.to_owned());
    frame.lineno = lineno;
    frame.colno = Some(column).filter(|column| *column > 0);
    frame.in_app = Some(!is_library);
}
