//! CSV as RFC 4180 has it, with nothing in it that a spreadsheet runs.
//!
//! A cell that begins as a formula does is given an apostrophe (OWASP, "CSV
//! Injection": <https://owasp.org/www-community/attacks/CSV_Injection>), unless it
//! is a number.

use std::borrow::Cow;

use actix_web::HttpResponse;
use actix_web::HttpResponseBuilder;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use serde::Serialize;

use crate::problem::Problem;

const MEDIA_TYPE: &str = "text/csv; charset=utf-8; header=present";

/// An answer with these rows, their fields' names on top.
pub(super) fn table<T: Serialize>(name: &str, rows: &[T]) -> Result<HttpResponse, Problem> {
    let body = written(rows).map_err(|error| {
        tracing::error!(%error, "answered with 500");
        Problem::internal()
    })?;
    Ok(answer(name).body(body))
}

/// An answer of CSV that is saved as a file of that name.
pub(crate) fn answer(name: &str) -> HttpResponseBuilder {
    let mut answer = HttpResponse::Ok();
    answer.insert_header((CONTENT_TYPE, MEDIA_TYPE));
    let disposition = format!("attachment; filename=\"{name}.csv\"");
    answer.insert_header((CONTENT_DISPOSITION, disposition));
    answer
}

fn written<T: Serialize>(rows: &[T]) -> Result<Vec<u8>, csv::Error> {
    // serde knows the fields' names and order, a record their cells.
    let mut plain = csv::Writer::from_writer(Vec::new());
    for row in rows {
        plain.serialize(row)?;
    }
    let plain = plain
        .into_inner()
        .map_err(csv::IntoInnerError::into_error)?;
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(plain.as_slice());
    let mut lines = Vec::new();
    for record in reader.records() {
        line(&mut lines, record?.iter())?;
    }
    Ok(lines)
}

/// Appends a line of these cells.
pub(crate) fn line<'a>(
    lines: &mut Vec<u8>,
    cells: impl Iterator<Item = &'a str>,
) -> Result<(), csv::Error> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(lines);
    for cell in cells {
        writer.write_field(harmless(cell).as_bytes())?;
    }
    writer.write_record(None::<&[u8]>)?;
    writer.flush()?;
    Ok(())
}

/// The cell, so that no spreadsheet takes it for a formula.
fn harmless(cell: &str) -> Cow<'_, str> {
    let runs = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    if runs && !is_number(cell) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

fn is_number(cell: &str) -> bool {
    let digits = cell.strip_prefix(['-', '+']).unwrap_or(cell);
    let plain = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    digits
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_digit())
        && digits.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Row {
        name: &'static str,
        minor: i64,
        rate: Option<f64>,
    }

    #[test]
    fn what_a_spreadsheet_would_run_is_made_text_and_numbers_stay() {
        let row = |name, minor, rate| Row { name, minor, rate };
        let rows = [
            row("=HYPERLINK(\"http://evil\")", -5, Some(-0.25)),
            row("+1 (2)", 0, None),
            row("-2+3+cmd|' /C calc'!A0", 1, Some(1.0)),
            row("@SUM(1)", 2, None),
            row("\tx", 3, None),
            row("plain, with comma", 4, None),
        ];
        let text = String::from_utf8(written(&rows).unwrap()).unwrap();
        assert_eq!(
            text,
            "name,minor,rate\r\n\
             \"'=HYPERLINK(\"\"http://evil\"\")\",-5,-0.25\r\n\
             '+1 (2),0,\r\n\
             '-2+3+cmd|' /C calc'!A0,1,1.0\r\n\
             '@SUM(1),2,\r\n\
             '\tx,3,\r\n\
             \"plain, with comma\",4,\r\n"
        );
    }

    #[test]
    fn numbers_are_told_from_formulas() {
        for number in ["-1", "+1.5", "0"] {
            assert_eq!(harmless(number), number);
        }
        for formula in ["-1+2", "-", "+a", "=1", "-.", "＝1"] {
            assert_eq!(harmless(formula), format!("'{formula}"));
        }
    }
}
