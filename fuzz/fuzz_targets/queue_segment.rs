#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| opbeat_server::fuzzing::queue_segment(data));
