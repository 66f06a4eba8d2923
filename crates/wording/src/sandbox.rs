//! Where templates are rendered: with nothing to reach, within fixed bounds.
//!
//! - There is no loader, function or global: a template has the values that it is
//!   given, and nothing else. Its language is as small (`grammar.rs`): there is
//!   nothing to loop over.
//! - Work is paid for in fuel, which every instruction and byte costs, so a
//!   template ends whatever it says; what it writes is bounded besides.
//! - Only texts and numbers can be printed. How a value is escaped is decided by
//!   the kind of the output, so no template can switch it off.

use std::fmt;
use std::io;

use minijinja::value::{Value, ValueKind};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, Template, UndefinedBehavior,
};

use crate::{FILTERS, grammar};

/// What one rendering may cost: so many instructions, or 64 bytes moved for each
/// of them. The longest message there may be takes half of it.
const FUEL: u64 = 4_000;
/// How deep blocks may stand in one another.
const DEPTH: usize = 40;

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateFault {
    /// The part at fault, as `html` or `parameters[1]`.
    pub field: String,
    /// The line in it, from 1, where one can be named.
    pub line: Option<usize>,
    /// What is wrong, as a sentence's end.
    pub fault: String,
}

impl TemplateFault {
    /// `field` as a whole is at fault.
    pub fn new(field: impl Into<String>, fault: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            line: None,
            fault: fault.into(),
        }
    }
}

impl fmt::Display for TemplateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.field)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        write!(f, ": {}", self.fault)
    }
}

/// What a rendered text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Html,
    Plain,
}

/// A part of a message: how it is named, and how much it holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    pub(crate) field: &'static str,
    pub(crate) output: Kind,
    /// Most bytes of the template.
    pub(crate) source: usize,
    /// Most bytes of what it writes.
    pub(crate) written: usize,
}

/// An environment that promises what this module does.
pub(crate) fn environment() -> Environment<'static> {
    let mut sandbox = Environment::empty();
    sandbox.set_undefined_behavior(UndefinedBehavior::Strict);
    sandbox.set_fuel(Some(FUEL));
    sandbox.set_recursion_limit(DEPTH);
    sandbox.set_auto_escape_callback(|name| {
        if is_html(name) {
            AutoEscape::Html
        } else {
            AutoEscape::None
        }
    });
    sandbox.set_formatter(print);
    sandbox.add_filter("upper", minijinja::filters::upper);
    sandbox.add_filter("lower", minijinja::filters::lower);
    sandbox.add_filter("capitalize", minijinja::filters::capitalize);
    sandbox.add_filter("title", minijinja::filters::title);
    sandbox.add_filter("trim", minijinja::filters::trim);
    sandbox.add_filter("default", default);
    sandbox.add_filter("truncate", truncate);
    sandbox.add_test("defined", minijinja::tests::is_defined);
    sandbox.add_test("none", minijinja::tests::is_none);
    sandbox
}

/// Renders a template that is not known to the environment.
pub(crate) fn render(
    sandbox: &Environment<'_>,
    part: Part,
    source: &str,
    values: &Value,
) -> Result<String, TemplateFault> {
    let fault = |error: &Error| fault(part, error);
    let template = template(sandbox, part, source)?;
    let mut page = Page {
        written: Vec::new(),
        most: part.written,
    };
    template
        .render_captured_to(values.clone(), &mut page)
        .map_err(|error| fault(&error))?;
    String::from_utf8(page.written)
        .map_err(|_| TemplateFault::new(part.field, "does not make a text"))
}

/// The first fault that shows before anything is filled in: its size, its
/// grammar, and variables that there are not.
pub(crate) fn read(
    sandbox: &Environment<'_>,
    part: Part,
    source: &str,
    known: &[&str],
) -> Result<(), TemplateFault> {
    if source.len() > part.source {
        let most = part.source;
        return Err(TemplateFault::new(
            part.field,
            format!("is longer than {most} bytes"),
        ));
    }
    let template = template(sandbox, part, source)?;
    let mut unknown: Vec<String> = template
        .undeclared_variables(false)
        .into_iter()
        .filter(|name| !known.contains(&name.as_str()))
        .collect();
    unknown.sort();
    let Some(name) = unknown.first() else {
        return Ok(());
    };
    Err(TemplateFault {
        line: line_of(source, name),
        ..TemplateFault::new(
            part.field,
            format!(
                "there is no variable {name}; there are {}",
                known.join(", ")
            ),
        )
    })
}

fn template<'a>(
    sandbox: &'a Environment<'_>,
    part: Part,
    source: &'a str,
) -> Result<Template<'a, 'a>, TemplateFault> {
    grammar::check(part.field, source)?;
    sandbox
        .template_from_named_str(name(part), source)
        .map_err(|error| fault(part, &error))
}

const fn name(part: Part) -> &'static str {
    match part.output {
        Kind::Html => "own.html",
        Kind::Plain => "own.txt",
    }
}

fn is_html(name: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, kind)| kind == "html")
}

/// Prints a value. Markup that the template itself holds, and that it has
/// captured, is left as it is; anything else is escaped in HTML.
fn print(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let text = match value.kind() {
        ValueKind::None => return Ok(()),
        ValueKind::String | ValueKind::Number | ValueKind::Bool => value.to_string(),
        other => {
            return Err(Error::new(
                ErrorKind::InvalidOperation,
                format!("a {other} cannot be printed, only texts and numbers can"),
            ));
        }
    };
    if is_html(state.name()) && !value.is_safe() {
        out.write_str(&escaped(&text))?;
    } else {
        out.write_str(&text)?;
    }
    Ok(())
}

/// For text and for quoted attributes. A slash is left alone, so that mail
/// programs that look for addresses without undoing entities find them whole.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#x27;"),
            '`' => escaped.push_str("&#x60;"),
            other => escaped.push(other),
        }
    }
    escaped
}

fn default(value: Value, other: Value) -> Value {
    let is_empty = value.is_undefined() || value.is_none() || value.as_str() == Some("");
    if is_empty { other } else { value }
}

#[expect(clippy::needless_pass_by_value, reason = "the signature of a filter")]
fn truncate(text: String, most: usize) -> String {
    let cut: String = text.chars().take(most).collect();
    cut.trim_end().to_owned()
}

/// Takes in what is written, up to its size.
struct Page {
    written: Vec<u8>,
    most: usize,
}

impl io::Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.written.len() + bytes.len() > self.most {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.written.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn fault(part: Part, error: &Error) -> TemplateFault {
    TemplateFault {
        line: error.line(),
        ..TemplateFault::new(part.field, sentence(part, error))
    }
}

fn sentence(part: Part, error: &Error) -> String {
    let detail = error.detail().unwrap_or_default();
    match error.kind() {
        ErrorKind::OutOfFuel => {
            "takes too much work: look for a text that grows without end".to_owned()
        }
        ErrorKind::WriteFailure => {
            format!("is longer than {} bytes when it is filled in", part.written)
        }
        ErrorKind::SyntaxError => format!("does not read: {detail}"),
        ErrorKind::UndefinedError => format!("uses a value that is not there {detail}")
            .trim_end()
            .to_owned(),
        ErrorKind::UnknownFilter => {
            let names: Vec<_> = FILTERS.iter().map(|filter| filter.name).collect();
            format!("{detail}; the filters are {}", names.join(", "))
        }
        kind if detail.is_empty() => kind.to_string(),
        _ => detail.to_owned(),
    }
}

/// The line where a name stands first, as a word of its own.
fn line_of(source: &str, name: &str) -> Option<usize> {
    let is_in_name = |c: char| c.is_alphanumeric() || c == '_';
    let stands_in = |line: &str| {
        line.match_indices(name).any(|(at, _)| {
            !line[..at].ends_with(is_in_name) && !line[at + name.len()..].starts_with(is_in_name)
        })
    };
    source.lines().position(stands_in).map(|index| index + 1)
}
