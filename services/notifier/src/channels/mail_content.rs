//! A mail's content and the dot that ends it, to be sent in one piece.
//!
//! `AsyncSmtpConnection::message` of lettre sends the dot apart from the content. TCP
//! then keeps it back until the content is acknowledged (Nagle's algorithm, RFC 896),
//! and a receiver that expects more takes its time to do so: 40 ms on Linux, for
//! every mail.

use std::fmt;

/// What follows the answer to `DATA`, as text for
/// [`AsyncSmtpConnection::command`](lettre::transport::smtp::client::AsyncSmtpConnection::command):
/// with a dot more in each line that begins with one (RFC 5321, 4.5.2), and the end.
pub(super) struct Content<'a>(pub(super) &'a str);

impl fmt::Display for Content<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, line) in self.0.split("\r\n").enumerate() {
            if number > 0 {
                f.write_str("\r\n")?;
            }
            if line.starts_with('.') {
                f.write_str(".")?;
            }
            f.write_str(line)?;
        }
        f.write_str("\r\n.\r\n")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As a server reads it: to the line that is a dot, taking one dot from each line
    /// that begins with one.
    fn read(sent: &str) -> (String, &str) {
        let mut lines = Vec::new();
        let mut rest = sent;
        while let Some((line, after)) = rest.split_once("\r\n") {
            rest = after;
            if line == "." {
                break;
            }
            lines.push(line.strip_prefix('.').unwrap_or(line));
        }
        (lines.join("\r\n"), rest)
    }

    #[test]
    fn a_line_of_one_dot_does_not_end_the_mail() {
        let sent = Content("Hello\r\n.\r\nMAIL FROM:<x@example.com>\r\n..\r\n").to_string();
        assert_eq!(
            sent,
            "Hello\r\n..\r\nMAIL FROM:<x@example.com>\r\n...\r\n\r\n.\r\n"
        );
    }

    proptest! {
        #[test]
        fn what_is_sent_is_read_back_whole_with_nothing_after_it(content in "([.ab]|\r\n|\r|\n){0,24}") {
            let sent = Content(&content).to_string();
            prop_assert_eq!(read(&sent), (content, ""));
        }
    }
}
