//! Lines off the connection, and the end of a mail's data.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};

/// RFC 5321 allows 512; clients with long AUTH responses need more.
const LONGEST_COMMAND: u64 = 4096;

/// The next command line without its line end; none when the client has gone.
pub(super) async fn command(
    reader: &mut (impl AsyncBufRead + Unpin),
) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    let read = reader
        .take(LONGEST_COMMAND)
        .read_until(b'\n', &mut line)
        .await?;
    if read == 0 {
        return Ok(None);
    }
    if line.last() != Some(&b'\n') {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "an SMTP command without an end",
        ));
    }
    let line = String::from_utf8_lossy(&line);
    Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// A mail's data.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Data {
    Whole(Vec<u8>),
    /// It went on after `limit` bytes; it was read to its end and thrown away.
    TooLong,
}

/// Reads to the line with a single dot, taking the dot off lines that were stuffed.
///
/// Only CRLF ends a line: a bare LF before a dot must not end the mail, or one mail could carry
/// another in it.
pub(super) async fn data(
    reader: &mut (impl AsyncBufRead + Unpin),
    limit: usize,
) -> io::Result<Data> {
    let mut mail = Vec::new();
    let mut line = Vec::new();
    let mut too_long = false;
    loop {
        line.clear();
        loop {
            // Read in pieces, so that a line without an end cannot fill the memory.
            let read = (&mut *reader)
                .take(1 << 16)
                .read_until(b'\n', &mut line)
                .await?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if line.ends_with(b"\r\n") {
                break;
            }
            if line.len() > limit {
                too_long = true;
                // The last byte may be the CR of the line's end; what stands before it keeps the
                // rest from looking like the final dot.
                let last = line.pop();
                line.clear();
                line.push(b'x');
                line.extend(last);
            }
        }
        if line == b".\r\n" && !too_long {
            return Ok(Data::Whole(mail));
        }
        if line == b".\r\n" {
            return Ok(Data::TooLong);
        }
        let content = line.strip_prefix(b".").unwrap_or(&line);
        if mail.len() + content.len() > limit {
            too_long = true;
            mail.clear();
        }
        if !too_long {
            mail.extend_from_slice(content);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn stuffed_dots_come_off_and_a_bare_line_feed_ends_nothing() {
        let sent = b"a\r\n..b\r\n...\r\nc\n.\nd\r\n.\r\nQUIT\r\n";
        let mut reader = &sent[..];
        let mail = data(&mut reader, 1000).await.unwrap();
        assert_eq!(mail, Data::Whole(b"a\r\n.b\r\n..\r\nc\n.\nd\r\n".to_vec()));
        assert_eq!(command(&mut reader).await.unwrap().as_deref(), Some("QUIT"));
    }

    #[tokio::test]
    async fn a_mail_over_the_limit_is_read_to_its_end() {
        let mut sent = vec![b'x'; 300_000];
        sent.extend_from_slice(b"\r\nmore\r\n.\r\nNOOP\r\n");
        let mut reader = &sent[..];
        assert_eq!(data(&mut reader, 1000).await.unwrap(), Data::TooLong);
        assert_eq!(command(&mut reader).await.unwrap().as_deref(), Some("NOOP"));
    }
}
