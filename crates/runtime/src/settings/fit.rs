//! Fits texts into a settings struct.
//!
//! A text from the environment does not say whether it is a number, and `#[serde(flatten)]` hides
//! from a deserializer what the field behind it wants and which field it was that refused. So the
//! struct is asked by trial. Every value is offered in the likeliest shape; when the struct refuses,
//! the culprit is found and its next shape is tried.
//!
//! The culprit is found with *poison*: bytes that no field accepts and that carry the number of
//! their setting. With everything poisoned, the refusal names the setting that is read first. Its
//! poison is taken away, and so on: the setting whose poison was taken away last before the real
//! refusal shows is the culprit. Some hundreds of trials of a few dozen fields cost milliseconds,
//! once, at the start.

use std::fmt::Display;

use serde::{
    Deserializer,
    de::{
        self, DeserializeOwned, Error as _, Expected, IntoDeserializer, Unexpected, Visitor,
        value::{MapDeserializer, SeqDeserializer},
    },
    forward_to_deserialize_any,
};

use super::{
    Setting,
    fault::{Fault, SettingsError},
    layers::{Found, Given, Origin},
    show::shown,
};

/// The struct that `found` describes.
pub(super) fn fit<T: DeserializeOwned>(found: &[Found]) -> Result<T, SettingsError> {
    let mut offers: Vec<Offer<'_>> = found.iter().filter_map(Offer::of).collect();
    for (number, offer) in offers.iter_mut().enumerate() {
        offer.poison = poison(number);
    }
    loop {
        let refusal = match attempt::<T>(&offers, &[]) {
            Ok(settings) => return Ok(settings),
            Err(refusal) => refusal,
        };
        let why = match refusal {
            Refusal::Undeclared(field) => format!("no table declares `{field}`"),
            Refusal::Poisoned(_) | Refusal::Expects(_) | Refusal::Says(_) => {
                match culprit::<T>(&offers) {
                    Some(number) => {
                        offers[number].refuse(refusal)?;
                        continue;
                    }
                    None => refusal.sentence(false),
                }
            }
        };
        return Err(Fault::Program { why }.into());
    }
}

fn attempt<T: DeserializeOwned>(offers: &[Offer<'_>], poisoned: &[usize]) -> Result<T, Refusal> {
    let entries = offers.iter().enumerate().map(|(number, offer)| {
        let poisoned = poisoned.contains(&number);
        (offer.setting.key, Offered { offer, poisoned })
    });
    T::deserialize(MapDeserializer::new(entries))
}

/// The setting at which the struct stops when nothing is poisoned.
fn culprit<T: DeserializeOwned>(offers: &[Offer<'_>]) -> Option<usize> {
    let mut poisoned: Vec<usize> = (0..offers.len()).collect();
    let mut last = None;
    while let Err(Refusal::Poisoned(number)) = attempt::<T>(offers, &poisoned) {
        let place = poisoned.iter().position(|other| *other == number)?;
        poisoned.swap_remove(place);
        last = Some(number);
    }
    last
}

/// How a text can be offered, likeliest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Integer,
    Decimal,
    Truth,
    Text,
}

const SHAPES: [Shape; 4] = [Shape::Integer, Shape::Decimal, Shape::Truth, Shape::Text];

impl Shape {
    fn suits(self, text: &str) -> bool {
        match self {
            Self::Integer => text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok(),
            // `inf` and `nan` are words to an operator.
            Self::Decimal => text.parse::<f64>().is_ok_and(f64::is_finite),
            Self::Truth => truth(text).is_some(),
            Self::Text => true,
        }
    }
}

fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// One setting's value with the shapes it has not been refused in.
struct Offer<'a> {
    setting: &'a Setting,
    value: &'a Given,
    origin: &'a Origin,
    /// One text and its shapes first, then the parts of a list and theirs; the last is next.
    parts: Vec<&'a str>,
    shapes_left: Vec<(bool, Shape)>,
    first_refusal: Option<Refusal>,
    poison: [u8; 3],
}

impl<'a> Offer<'a> {
    fn of(found: &'a Found) -> Option<Self> {
        let (value, origin) = found.value.as_ref()?;
        let parts: Vec<&str> = match value {
            Given::One(text) => text
                .split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .collect(),
            Given::Many(texts) => texts.iter().map(String::as_str).collect(),
        };
        let one = SHAPES
            .into_iter()
            .filter(|shape| matches!(value, Given::One(text) if shape.suits(text)))
            .map(|shape| (false, shape));
        let list = SHAPES
            .into_iter()
            .filter(|shape| parts.iter().all(|part| shape.suits(part)))
            .map(|shape| (true, shape));
        let mut shapes_left: Vec<(bool, Shape)> = one.chain(list).collect();
        shapes_left.reverse();
        Some(Self {
            setting: &found.setting,
            value,
            origin,
            parts,
            shapes_left,
            first_refusal: None,
            poison: poison(0),
        })
    }

    /// Goes on to the next shape; an error when there is none.
    fn refuse(&mut self, refusal: Refusal) -> Result<(), SettingsError> {
        let first = self.first_refusal.get_or_insert(refusal);
        self.shapes_left.pop();
        if self.shapes_left.is_empty() {
            return Err(Fault::Unusable {
                name: self.setting.name,
                value: shown(self.setting, self.value),
                origin: self.origin.clone(),
                why: first.sentence(self.setting.secret),
            }
            .into());
        }
        Ok(())
    }
}

/// Bytes that are not UTF-8, so that even a text field refuses them, with the setting's number.
fn poison(number: usize) -> [u8; 3] {
    let [high, low] = u16::try_from(number).unwrap_or(u16::MAX).to_be_bytes();
    [0xff, high, low]
}

#[derive(Clone, Copy)]
struct Offered<'o, 'a> {
    offer: &'o Offer<'a>,
    poisoned: bool,
}

impl<'de, 'a: 'de> Deserializer<'de> for Offered<'de, 'a> {
    type Error = Refusal;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        let offer = self.offer;
        if self.poisoned {
            return visitor.visit_borrowed_bytes(&offer.poison);
        }
        match (offer.shapes_left.last(), offer.value) {
            (Some((false, shape)), Given::One(text)) => Scalar {
                text,
                shape: *shape,
            }
            .deserialize_any(visitor),
            (shape, _) => {
                let shape = shape.map_or(Shape::Text, |(_, shape)| *shape);
                let parts = offer.parts.iter().map(|text| Scalar { text, shape });
                visitor.visit_seq(SeqDeserializer::new(parts))
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        match self.offer.value {
            Given::One(text) if !self.poisoned => Scalar {
                text,
                shape: Shape::Text,
            }
            .deserialize_enum(name, variants, visitor),
            _ => Err(Refusal::invalid_type(
                Unexpected::Bytes(&self.offer.poison),
                &"one word",
            )),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl<'de, 'a: 'de> IntoDeserializer<'de, Refusal> for Offered<'de, 'a> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

#[derive(Clone, Copy)]
struct Scalar<'a> {
    text: &'a str,
    shape: Shape,
}

impl<'de> Deserializer<'de> for Scalar<'de> {
    type Error = Refusal;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        let text = self.text;
        match self.shape {
            Shape::Integer => match text.parse::<u64>() {
                Ok(number) => visitor.visit_u64(number),
                Err(_) => visitor.visit_i64(text.parse().map_err(Refusal::custom)?),
            },
            Shape::Decimal => visitor.visit_f64(text.parse().map_err(Refusal::custom)?),
            Shape::Truth => visitor.visit_bool(truth(text).unwrap_or_default()),
            Shape::Text => visitor.visit_borrowed_str(text),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        visitor.visit_enum(self.text.into_deserializer())
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Refusal> for Scalar<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Why the struct would not take a value.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("poison number {0}")]
    Poisoned(usize),
    #[error("`{0}` is not declared")]
    Undeclared(&'static str),
    /// A phrase that says what would do; it never holds the value.
    #[error("{0}")]
    Expects(String),
    /// The words of a type of someone else's; they may hold the value.
    #[error("{0}")]
    Says(String),
}

impl Refusal {
    fn unless_poison(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        match found {
            Unexpected::Bytes([0xff, high, low]) => {
                Self::Poisoned(usize::from(u16::from_be_bytes([*high, *low])))
            }
            _ => Self::Expects(format!("it must be {}", plainly(&expected.to_string()))),
        }
    }

    fn sentence(&self, secret: bool) -> String {
        match self {
            Self::Says(_) if secret => "its text does not have the right form".to_owned(),
            other => other.to_string(),
        }
    }
}

/// Rust's names for kinds of values, in words.
fn plainly(expected: &str) -> String {
    let most = |most: u64| format!("a whole number from 0 to {most}");
    match expected {
        "u8" => most(u8::MAX.into()),
        "u16" => most(u16::MAX.into()),
        "u32" => most(u32::MAX.into()),
        "u64" | "usize" => "a whole number, 0 or more".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "socket address" => "an address with a port, such as 127.0.0.1:9090".to_owned(),
        "a sequence" => "a comma-separated list".to_owned(),
        other => other.to_owned(),
    }
}

impl de::Error for Refusal {
    fn custom<M: Display>(message: M) -> Self {
        Self::Says(message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::unless_poison(found, expected)
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::unless_poison(found, expected)
    }

    fn unknown_variant(_variant: &str, expected: &'static [&'static str]) -> Self {
        Self::Expects(format!("it must be one of {}", expected.join(", ")))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Undeclared(field)
    }
}
