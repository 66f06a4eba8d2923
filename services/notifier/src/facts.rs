//! From a letter to what its words are made of, and back to what is kept of them.

use db::notifications::{Letter, WrittenWith};
use db::templates::{self, StoredTemplate};
use db::{Conn, DbError};
use domain::token::{LinkKey, derive};
use url::Url;
use wording::own::{Kind, Own, kinds, languages};
use wording::{Facts, Link, Stored, Used};

/// The link of a letter, under the base that payers reach Tinko at.
pub(crate) fn link(letter: &Letter, key: &LinkKey, base: &Url) -> Link {
    Link::of(derive(key, letter.link).expose(), base.as_str())
}

/// What the letter has to say.
pub(crate) fn facts(letter: &Letter, link: &Link) -> Facts {
    let about = &letter.about;
    Facts {
        merchant: about.organization_name.clone(),
        payer: about.payer_name.clone(),
        amount: about.amount,
        category: about.category,
        contact: about.contact,
        reference: about.transaction_ref.clone(),
        link: link.clone(),
        link_ends: letter.link_expires_at,
        time_zone: about.time_zone(),
        language: about.language(),
        default_language: about.message_language.clone(),
        support_contact: about.support_contact.clone(),
    }
}

/// The organization's own template for the letter, if it has one.
pub(crate) async fn own(
    conn: &mut Conn,
    letter: &Letter,
) -> Result<Option<StoredTemplate>, DbError> {
    let about = &letter.about;
    let payers = about.language();
    let languages = languages(payers.as_ref(), about.message_language.as_ref());
    if languages.is_empty() {
        return Ok(None);
    }
    let kinds = kinds(about.category, about.contact).map(Kind::as_str);
    templates::best(conn, letter.tenant, letter.channel, &languages, &kinds).await
}

/// As the words are written from it.
pub(crate) fn stored(own: Option<&StoredTemplate>) -> Stored {
    own.map(|own| Own::read(&own.language, &own.content))
}

/// What is kept of the words.
pub(crate) fn written(used: &Used, own: Option<&StoredTemplate>) -> WrittenWith {
    let template = own.filter(|_| used.own).map(|own| (own.id, own.version));
    let fault = used.fault.as_ref().zip(own).map(|(fault, own)| {
        let StoredTemplate {
            language,
            kind,
            version,
            ..
        } = own;
        format!("the {language} template for {kind}, version {version}: {fault}")
    });
    WrittenWith {
        template,
        language: used.language.as_str().to_owned(),
        fault,
    }
}
