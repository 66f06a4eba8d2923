//! How a payer is reached: addresses that hide themselves when printed, the
//! country whose rules bind, and the time zone that quiet hours are kept in.

mod country;
mod email;
mod language;
mod phone;
mod places;
mod text;
mod zone;

pub use country::{Country, UnknownCountry, country};
pub use email::{EmailAddress, InvalidEmail};
pub use language::{Language, UnknownLanguage, language};
pub use phone::{InvalidPhone, PhoneNumber};
pub use text::without_payer;
pub use zone::time_zone;
