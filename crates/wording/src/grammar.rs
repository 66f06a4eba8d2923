//! The part of the template language that organizations may use.
//!
//! Values, filters, conditions and `set`: what a message needs. Loops, macros,
//! other templates, lists and maps are left out: a message has nothing to loop
//! over, and lists that hold one another can take for ever to be compared or
//! joined, which fuel does not see.

use minijinja::machinery::{Token, tokenize};
use minijinja::syntax::SyntaxConfig;

use crate::TemplateFault;

/// The most words and marks within one pair of braces, and the most statements of
/// a template: the parser goes one call deeper with some of them, and its own
/// bound does not count all.
const TOKENS: usize = 100;
const BLOCKS: usize = 200;
/// The statements that there are.
const STATEMENTS: [&str; 6] = ["if", "elif", "else", "endif", "set", "endset"];
/// Words that no call begins with.
const KEYWORDS: [&str; 10] = [
    "if", "elif", "else", "set", "in", "is", "not", "and", "or", "endset",
];

/// Whether a template keeps to it. What is no template at all is left for its
/// parser to say.
pub(crate) fn check(field: &str, source: &str) -> Result<(), TemplateFault> {
    let mut scan = Scan::default();
    for token in tokenize(source, false, SyntaxConfig::default()) {
        let Ok((token, place)) = token else {
            return Ok(());
        };
        scan.take(&token).map_err(|fault| TemplateFault {
            line: Some(usize::from(place.start_line)),
            ..TemplateFault::new(field, fault)
        })?;
    }
    Ok(())
}

#[derive(Default)]
struct Scan {
    /// Whether each bracket that is open is a call's.
    open: Vec<bool>,
    begins_statement: bool,
    after_name: bool,
    tokens: usize,
    blocks: usize,
}

impl Scan {
    fn take(&mut self, token: &Token<'_>) -> Result<(), String> {
        let (begins_statement, after_name) = (self.begins_statement, self.after_name);
        self.begins_statement = false;
        self.after_name = false;
        self.count(token)?;
        match token {
            Token::BlockStart => {
                self.open.clear();
                self.begins_statement = true;
            }
            Token::VariableStart => self.open.clear(),
            Token::Ident(word) if begins_statement && !STATEMENTS.contains(word) => {
                return Err(format!(
                    "does not take {word}; the statements are {}",
                    STATEMENTS.join(", ")
                ));
            }
            Token::Ident(word) => self.after_name = !KEYWORDS.contains(word),
            Token::ParenOpen => self.open.push(after_name),
            Token::ParenClose => {
                self.open.pop();
            }
            Token::BracketOpen | Token::BraceOpen => {
                return Err("takes no lists and no maps, only texts and numbers".to_owned());
            }
            Token::Comma if self.open.last() != Some(&true) => {
                return Err("takes no comma here: there are no lists".to_owned());
            }
            _ => {}
        }
        Ok(())
    }

    fn count(&mut self, token: &Token<'_>) -> Result<(), String> {
        match token {
            Token::TemplateData(_) | Token::VariableStart => self.tokens = 0,
            Token::BlockStart => {
                self.tokens = 0;
                self.blocks += 1;
            }
            _ => self.tokens += 1,
        }
        if self.tokens > TOKENS {
            return Err(format!(
                "has more than {TOKENS} words within one pair of braces"
            ));
        }
        if self.blocks > BLOCKS {
            return Err(format!("has more than {BLOCKS} statements"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_message_needs_is_taken() {
        for source in [
            "{% if payer is defined and (payer or not reason) %}a{% elif payer == 'x' %}b{% else %}c{% endif %}",
            "{% set name = payer | default('you, [there]') %}{{ name | truncate(20) ~ '{' }}",
            "{% set x %}{{ payer }}{% endset %}{# [1, 2] #}{{ (x) }}, [plain] {",
            "{% raw %}{{ [1] }}{% endraw %}",
        ] {
            assert_eq!(check("text", source), Ok(()), "{source}");
        }
    }

    #[test]
    fn what_could_grow_is_not() {
        for source in [
            "\n{% for a in merchant %}{% endfor %}",
            "\n{%- macro m() -%}{% endmacro %}",
            "\n{% include 'x' %}",
            "\n{% autoescape false %}{% endautoescape %}",
            "\n{% set x = [1] %}",
            "\n{{ {'a': 1} }}",
            "\n{% set x = (1, 2) %}",
            "\n{% set x = 1, 2 %}",
            "\n{% set a, b = payer %}",
            "\n{{ merchant | default((1, 2)) }}",
            "\n{% if (1, 2) %}{% endif %}",
            "\n{{ merchant[0] }}",
        ] {
            let fault = check("text", source).unwrap_err();
            assert_eq!(fault.line, Some(2), "{source}: {fault}");
        }
    }
}
