//! Stand-ins for the types of `crates/domain`, which knows no framework: what they
//! look like in JSON.

use std::borrow::Cow;

use domain::id::Kind;
use serde_json::json;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

fn id_schema(prefix: &str) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some(format!("^{prefix}_[0-9a-f]{{32}}$")))
        .examples([json!(format!("{prefix}_0199c0de5eed7000a000000000000001"))])
        .into()
}

macro_rules! ids {
    ($($name:ident = $kind:ident,)*) => {$(
        pub(crate) enum $name {}
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                id_schema(domain::id::$kind::PREFIX)
            }
        }
        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    )*};
}

macro_rules! names {
    ($($name:ident,)*) => {$(
        pub(crate) enum $name {}
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let words = domain::$name::ALL.iter().map(|word| word.as_str());
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .enum_values(Some(words))
                    .into()
            }
        }
        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    )*};
}

ids! {
    OrganizationId = Organization,
    SuppressionId = Suppression,
    UserId = User,
    UserSessionId = UserSession,
}

names! {
    Channel,
    Role,
    SuppressionReason,
}
