//! SMTP commands as they are written on the line.

/// One command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    Helo,
    Ehlo,
    Mail {
        from: String,
        size: Option<usize>,
    },
    Rcpt {
        to: String,
    },
    Data,
    Reset,
    Noop,
    Verify,
    Quit,
    /// With the initial response that some clients send along.
    AuthPlain {
        initial: bool,
    },
    AuthLogin {
        initial: bool,
    },
    Unknown,
    /// A command that is known, with arguments that are not.
    Malformed,
}

impl Command {
    pub(super) fn read(line: &str) -> Self {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "HELO" => Self::Helo,
            "EHLO" => Self::Ehlo,
            "MAIL" => mail(rest),
            "RCPT" => match path(rest, "TO:") {
                Some((to, _)) if !to.is_empty() => Self::Rcpt { to },
                _ => Self::Malformed,
            },
            "DATA" => Self::Data,
            "RSET" => Self::Reset,
            "NOOP" => Self::Noop,
            "VRFY" => Self::Verify,
            "QUIT" => Self::Quit,
            "AUTH" => auth(rest),
            _ => Self::Unknown,
        }
    }
}

fn mail(rest: &str) -> Command {
    let Some((from, parameters)) = path(rest, "FROM:") else {
        return Command::Malformed;
    };
    let size = parameters.split_whitespace().find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.eq_ignore_ascii_case("SIZE")
            .then(|| value.parse().ok())
            .flatten()
    });
    Command::Mail { from, size }
}

fn auth(rest: &str) -> Command {
    let mut words = rest.split_whitespace();
    let mechanism = words.next().unwrap_or_default().to_ascii_uppercase();
    let initial = words.next().is_some();
    match mechanism.as_str() {
        "PLAIN" => Command::AuthPlain { initial },
        "LOGIN" => Command::AuthLogin { initial },
        _ => Command::Malformed,
    }
}

/// The address between angle brackets after `keyword`, and the parameters that follow it.
fn path<'a>(rest: &'a str, keyword: &str) -> Option<(String, &'a str)> {
    let rest = rest.trim_start();
    let starts = rest.get(..keyword.len())?.eq_ignore_ascii_case(keyword);
    let rest = rest.get(keyword.len()..).filter(|_| starts)?.trim_start();
    let (address, parameters) = rest.strip_prefix('<')?.split_once('>')?;
    Some((address.to_owned(), parameters))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_whatever_their_case_and_spacing() {
        let mail = Command::read("mail from:<a@b.example> BODY=8BITMIME size=120");
        assert_eq!(
            mail,
            Command::Mail {
                from: "a@b.example".to_owned(),
                size: Some(120)
            }
        );
        let bounce = Command::read("MAIL FROM:<>");
        assert_eq!(
            bounce,
            Command::Mail {
                from: String::new(),
                size: None
            }
        );
        let rcpt = Command::read("RCPT TO: <c@d.example>");
        assert_eq!(
            rcpt,
            Command::Rcpt {
                to: "c@d.example".to_owned()
            }
        );
        assert_eq!(Command::read("RCPT TO:<>"), Command::Malformed);
        assert_eq!(
            Command::read("AUTH PLAIN AHgAeQ=="),
            Command::AuthPlain { initial: true }
        );
        assert_eq!(Command::read("FROB"), Command::Unknown);
    }
}
