//! Answers on standard output.

use serde::Serialize;

/// How answers are printed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Print {
    /// As JSON, not as text for people.
    pub(crate) json: bool,
}

impl Print {
    /// Prints the answer, whose lines for people are `text`.
    #[expect(clippy::print_stdout, reason = "the command's answer")]
    pub(crate) fn answer(
        self,
        answer: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        if self.json {
            println!("{}", serde_json::to_string_pretty(answer)?);
        } else {
            println!("{}", text());
        }
        Ok(())
    }
}
