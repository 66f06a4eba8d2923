//! Links in what was received.

use html5gum::{Token, Tokenizer};
use linkify::{LinkFinder, LinkKind};

/// Addresses in running text, in order, each once.
pub(crate) fn in_text(text: &str) -> Vec<String> {
    let mut finder = LinkFinder::new();
    finder.kinds(&[LinkKind::Url]);
    let mut links = Vec::new();
    for link in finder.links(text) {
        push(&mut links, link.as_str());
    }
    links
}

/// Addresses in a mail's text and behind the anchors of its HTML, in order, each once.
pub(super) fn in_mail(text: Option<&str>, html: Option<&str>) -> Vec<String> {
    let mut links = text.map(in_text).unwrap_or_default();
    for token in Tokenizer::new(html.unwrap_or_default()).flatten() {
        if let Token::StartTag(tag) = token
            && *tag.name == b"a"
            && let Some(address) = tag.attributes.get(&b"href"[..])
        {
            push(&mut links, &String::from_utf8_lossy(address));
        }
    }
    links
}

fn push(links: &mut Vec<String>, link: &str) {
    let is_web = link.starts_with("http://") || link.starts_with("https://");
    if is_web && links.iter().all(|known| known != link) {
        links.push(link.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_text_and_html_are_found_once_and_unescaped() {
        let text = "Pay here: http://127.0.0.1:8080/pay/abc?x=1&y=2. Thank you";
        let html = "<p><a href=\"http:&#x2f;&#x2f;127.0.0.1:8080/pay/abc?x=1&amp;y=2\">Pay</a>\
                    <a href='https://shop.example/stop'>Stop</a><a href='mailto:x@y.z'>Write</a>";
        assert_eq!(
            in_mail(Some(text), Some(html)),
            [
                "http://127.0.0.1:8080/pay/abc?x=1&y=2",
                "https://shop.example/stop"
            ]
        );
    }
}
