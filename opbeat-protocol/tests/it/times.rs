//! Times in all formats.

use opbeat_protocol::Timestamp;

use crate::support::{error, summary};

#[test]
fn the_magnitude_decides_the_unit() {
    let written = "2026-11-26T17:37:51.704Z";
    for time in [
        "1795714671.704",
        "1795714671704",
        "1795714671704000",
        "1795714671704000000",
        "\"1795714671704\"",
        "1795714671704.0",
    ] {
        let received = error(&format!(r#"{{"message": "m", "timestamp": {time}}}"#));
        assert_eq!(received.body.timestamp.map(|time| time.to_string()).as_deref(), Some(written), "{time}");
        assert!(received.notes.is_empty(), "{time}");
    }
}

#[test]
fn calendar_times_are_read_in_all_forms() {
    for time in [
        "2026-11-26T17:37:51Z",
        "2026-11-26T18:37:51+01:00",
        "2026-11-26 17:37:51",
        "2026-11-26T17:37:51.000000",
        " 2026-11-26T17:37:51Z ",
        "2026-11-26 17:37:51 UTC",
        "2026-11-26 18:37:51 +0100",
    ] {
        let received = error(&format!(r#"{{"message": "m", "timestamp": "{time}"}}"#));
        assert_eq!(received.body.timestamp.map(Timestamp::seconds), Some(1_795_714_671), "{time}");
        assert!(received.notes.is_empty(), "{time}");
    }
}

#[test]
fn a_time_that_cannot_be_recognised_is_left_out() {
    for time in
        ["null", "\"\"", "\"soon\"", "true", "[]", "{\"a\": [1]}", "1e300", "-1e300", "1e999", "\"NaN\"", "\"1e400\""]
    {
        let received = error(&format!(r#"{{"message": "m", "timestamp": {time}}}"#));
        assert_eq!(received.body.timestamp, None, "{time}");
        assert!(summary(&received.notes).contains("invalid_time 1 timestamp"), "{time}: {:?}", received.notes);
    }
}

#[test]
fn extreme_times_are_written_and_read() {
    for micros in [i64::MIN, i64::MIN + 1, -1, 0, i64::MAX] {
        let time = Timestamp::from_micros(micros);
        let json = serde_json::to_string(&time).expect("a time is JSON");
        let read: Timestamp = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{json}: {error}"));
        assert_eq!(serde_json::to_string(&read).expect("a time is JSON"), json);
        assert!(time.minute() <= time);
    }
    for number in ["9223372036854775807", "18446744073709551615", "-9223372036854775808", "1.7e308", "-1.7e308"] {
        let time: Timestamp = serde_json::from_str(number).expect(number);
        assert!(time.minute() <= time, "{number}");
    }
}
