//! HTML of an organization's own: where values may stand in it, and a page made
//! from plain text.

use crate::TemplateFault;
use crate::facts::Values;
use crate::sandbox::escaped;

/// Stands for whatever a stranger may have called themselves, to see where such
/// values end up. Letters and digits: escaping leaves it whole.
pub(crate) const PROBE: &str = "qZ7probe";

/// Elements that mail programs drop, and that would act where a preview is shown.
const FORBIDDEN: [&str; 12] = [
    "script", "iframe", "frame", "object", "embed", "applet", "form", "input", "button", "base",
    "link", "svg",
];
/// Attributes whose value is an address that is followed or fetched.
const ADDRESSES: [&str; 9] = [
    "href",
    "src",
    "srcset",
    "action",
    "formaction",
    "background",
    "poster",
    "ping",
    "xlink:href",
];
/// Attributes whose values are a language of their own.
const CODE: [&str; 2] = ["style", "srcdoc"];

/// Whether every value stands where escaping holds: in text, or in a quoted
/// attribute that is no address and no code; and whether nothing in it acts.
pub(crate) fn check(html: &str, source: &str) -> Result<(), TemplateFault> {
    let mut reader = Reader { rest: html, source };
    while let Some(at) = reader.rest.find('<') {
        reader.rest = &reader.rest[at..];
        reader.markup()?;
    }
    Ok(())
}

struct Reader<'a> {
    rest: &'a str,
    source: &'a str,
}

impl<'a> Reader<'a> {
    fn markup(&mut self) -> Result<(), TemplateFault> {
        let after = self.rest.get(1..).unwrap_or_default();
        if after.starts_with("!--") {
            return self.skip("-->", "<!--", "a comment");
        }
        if after.starts_with(['!', '/', '?']) {
            return self.skip(">", "</", "a closing tag");
        }
        if after.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return self.element();
        }
        self.rest = after;
        Ok(())
    }

    /// Passes over what ends with `end`, in which no value may stand.
    fn skip(&mut self, end: &str, mark: &str, what: &str) -> Result<(), TemplateFault> {
        let (within, rest) = match self.rest.find(end) {
            Some(at) => self.rest.split_at(at + end.len()),
            None => (self.rest, ""),
        };
        if within.contains(PROBE) {
            return Err(self.fault(mark, format!("has a value inside of {what}")));
        }
        self.rest = rest;
        Ok(())
    }

    fn element(&mut self) -> Result<(), TemplateFault> {
        self.rest = &self.rest[1..];
        let name = self.take_while(|c| !c.is_whitespace() && c != '>' && c != '/');
        let name = name.to_ascii_lowercase();
        if FORBIDDEN.contains(&name.as_str()) {
            let fault = format!("must not hold <{name}>, which mail programs drop");
            return Err(self.fault(&format!("<{name}"), fault));
        }
        if name.contains(&PROBE.to_ascii_lowercase()) {
            return Err(self.fault("<{{", "has a value inside of a tag"));
        }
        while self.attribute()? {}
        if name == "style" {
            return self.skip("</style", "<style", "a style sheet");
        }
        Ok(())
    }

    /// One attribute; false at the tag's end.
    fn attribute(&mut self) -> Result<bool, TemplateFault> {
        self.take_while(|c| c.is_whitespace() || c == '/');
        if self.rest.is_empty() {
            return Ok(false);
        }
        if let Some(rest) = self.rest.strip_prefix('>') {
            self.rest = rest;
            return Ok(false);
        }
        let name = self.take_while(|c| !c.is_whitespace() && !matches!(c, '=' | '>' | '/'));
        if name.is_empty() {
            // A stray equals sign begins a name, as browsers read it.
            self.rest = self.rest.get(1..).unwrap_or_default();
            return Ok(true);
        }
        if name.contains(PROBE) {
            return Err(self.fault("{{", "has a value inside of a tag, outside of quotes"));
        }
        self.take_while(char::is_whitespace);
        let Some(rest) = self.rest.strip_prefix('=') else {
            return self.judge(name, "", true);
        };
        self.rest = rest;
        self.take_while(char::is_whitespace);
        let (value, is_quoted) = self.value();
        self.judge(name, value, is_quoted)
    }

    fn value(&mut self) -> (&'a str, bool) {
        for quote in ['"', '\''] {
            if let Some(rest) = self.rest.strip_prefix(quote) {
                let (value, rest) = rest.split_once(quote).unwrap_or((rest, ""));
                self.rest = rest;
                return (value, true);
            }
        }
        (self.take_while(|c| !c.is_whitespace() && c != '>'), false)
    }

    fn judge(&self, name: &str, value: &str, is_quoted: bool) -> Result<bool, TemplateFault> {
        let name = name.to_ascii_lowercase();
        let shown: String = value
            .chars()
            .filter(|c| !c.is_control() && *c != ' ')
            .collect();
        let shown = shown.to_ascii_lowercase();
        let is_address = ADDRESSES.contains(&name.as_str());
        let acts = is_address
            && ["javascript:", "vbscript:", "data:text"]
                .iter()
                .any(|it| shown.starts_with(it));
        if name.starts_with("on") || acts || name == "srcdoc" || name == "http-equiv" {
            let fault =
                format!("must not hold the attribute {name} as it is: it acts, or leads astray");
            return Err(self.fault(&name, fault));
        }
        if !value.contains(PROBE) {
            return Ok(true);
        }
        let is_contact =
            name == "href" && (shown.starts_with("mailto:") || shown.starts_with("tel:"));
        let fault = if !is_quoted {
            "needs quotes around it: a value stands in it"
        } else if CODE.contains(&name.as_str()) || (is_address && !is_contact) {
            "may hold {{ link }} and {{ unsubscribe }}, and no other value"
        } else {
            return Ok(true);
        };
        Err(self.fault(&name, format!("the attribute {name} {fault}")))
    }

    fn take_while(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !fits(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// The line is where the template itself holds `mark` first.
    fn fault(&self, mark: &str, fault: impl Into<String>) -> TemplateFault {
        let mark = mark.to_ascii_lowercase();
        let mut lines = self.source.lines();
        let line = lines.position(|line| line.to_ascii_lowercase().contains(&mark));
        TemplateFault {
            line: line.map(|index| index + 1),
            ..TemplateFault::new("html", fault)
        }
    }
}

/// A page that says what a text says, with its addresses to press on.
pub(crate) fn page(text: &str, subject: &str, values: &Values) -> String {
    let paragraphs: Vec<String> = text
        .replace("\r\n", "\n")
        .split("\n\n")
        .map(str::trim)
        .filter(|paragraph| !paragraph.is_empty())
        .map(|paragraph| format!("<p>{}</p>", with_links(paragraph, values)))
        .collect();
    format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{}</title>\n</head>\n\
         <body style=\"margin:0;padding:16px;background:#ffffff;color:#1a1a1a;font:16px/1.5 sans-serif\">\n\
         <div style=\"max-width:480px;margin:0 auto\">\n{}\n</div>\n</body>\n</html>\n",
        escaped(values.language.as_str()),
        escaped(subject),
        paragraphs.join("\n"),
    )
}

fn with_links(paragraph: &str, values: &Values) -> String {
    let mut html = escaped(paragraph).replace('\n', "<br>\n");
    for address in [&values.link.pay, &values.link.unsubscribe] {
        let address = escaped(address);
        html = html.replace(&address, &format!("<a href=\"{address}\">{address}</a>"));
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(html: &str) -> Result<(), String> {
        let source = html.replace(PROBE, "{{ payer }}");
        check(html, &source).map_err(|fault| fault.to_string())
    }

    #[test]
    fn values_stand_where_escaping_holds() {
        for html in [
            "<p>qZ7probe</p><title>qZ7probe</title>",
            "<p title=\"Hi qZ7probe\" class='a'>1 < 2 & qZ7probe",
            "<a href=\"mailto:qZ7probe\">ask</a><img src=https://shop.example/a.png alt='qZ7probe'/>",
            "<style>p { color: red }</style><!-- why -->",
            "<",
            "<p",
            "<p title='",
        ] {
            assert_eq!(judged(html), Ok(()), "{html}");
        }
    }

    #[test]
    fn values_elsewhere_and_what_acts_are_refused_with_their_line() {
        for (html, wanted) in [
            (
                "<p>\n<a title=qZ7probe>",
                "html, line 2: the attribute title needs quotes",
            ),
            (
                "<a href=\"qZ7probe\">",
                "html, line 1: the attribute href may hold",
            ),
            (
                "<p style=\"color:qZ7probe\">",
                "html, line 1: the attribute style may hold",
            ),
            ("<p qZ7probe>", "html, line 1: has a value inside of a tag"),
            ("<qZ7probe>", "html, line 1: has a value inside of a tag"),
            (
                "<!-- qZ7probe -->",
                "html, line 1: has a value inside of a comment",
            ),
            (
                "<style>qZ7probe</style>",
                "html, line 1: has a value inside of a style sheet",
            ),
            ("\n\n<ScRiPt>", "html, line 3: must not hold <script>"),
            (
                "<img/onerror=x>",
                "html, line 1: must not hold the attribute onerror",
            ),
            (
                "<a href=\" java\tscript:x\">",
                "html, line 1: must not hold the attribute href",
            ),
        ] {
            let fault = judged(html).unwrap_err();
            assert!(fault.starts_with(wanted), "{html}: {fault}");
        }
    }
}
