//! How a payer is reached: addresses that hide themselves when printed, and
//! the time zone that quiet hours are kept in.

mod email;
mod phone;
mod zone;

pub use email::{EmailAddress, InvalidEmail};
pub use phone::{InvalidPhone, PhoneNumber};
pub use zone::time_zone;
