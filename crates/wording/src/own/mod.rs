//! An organization's own templates: what they hold, and what is asked of them.

mod check;
mod content;
mod kinds;
mod preview;

pub(crate) use check::{fits_a_text_message, holds_link, parameter};
pub use content::{Content, Dlt, EmailTemplate, Own, SmsTemplate, WhatsAppTemplate};
pub(crate) use content::{HTML, SMS, SUBJECT, TEXT};
pub use kinds::{Kind, UnknownKind, kinds, languages};
pub(crate) use preview::sample;
pub use preview::{email_warnings, language_warning, sms_warnings, whatsapp_warnings};
