//! `api openapi`: the OpenAPI document, as `docs/openapi.json` keeps it.

/// Prints it.
#[expect(clippy::print_stdout, reason = "the command's answer")]
pub fn run() {
    print!("{}", crate::openapi::json());
}
