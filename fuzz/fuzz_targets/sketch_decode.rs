#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| opbeat_server::fuzzing::sketch_decode(data));
