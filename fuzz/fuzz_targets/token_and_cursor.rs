#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzing::run("token_and_cursor", data));
