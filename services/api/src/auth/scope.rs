//! What a key may do.

use domain::Role;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a key may do. Each takes in the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// See what is known.
    Read,
    /// Report failures, make links, cancel.
    Write,
    /// Make and revoke keys, change policies.
    Admin,
}

impl Scope {
    /// Its word in Postgres and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }

    /// What a person in `role` may do.
    pub const fn of_role(role: Role) -> Self {
        match role {
            Role::Analyst => Self::Read,
            Role::Operator => Self::Write,
            Role::Admin => Self::Admin,
        }
    }

    /// The least role that may do this.
    pub const fn least_role(self) -> Role {
        match self {
            Self::Read => Role::Analyst,
            Self::Write => Role::Operator,
            Self::Admin => Role::Admin,
        }
    }

    /// The words of several.
    pub fn names(scopes: &[Self]) -> Vec<String> {
        scopes
            .iter()
            .map(|scope| scope.as_str().to_owned())
            .collect()
    }

    /// Whether a key with these scopes may do this.
    pub fn is_within(self, scopes: &[String]) -> bool {
        [Self::Read, Self::Write, Self::Admin]
            .into_iter()
            .filter(|scope| *scope >= self)
            .any(|scope| scopes.iter().any(|name| name == scope.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_has_the_scope_whose_least_role_it_is() {
        for role in Role::ALL {
            assert_eq!(Scope::of_role(*role).least_role(), *role);
        }
    }

    #[test]
    fn a_scope_takes_in_the_lesser_ones_and_no_greater() {
        let write = Scope::names(&[Scope::Write]);
        assert!(Scope::Read.is_within(&write) && Scope::Write.is_within(&write));
        assert!(!Scope::Admin.is_within(&write));
        assert!(!Scope::Read.is_within(&[]));
    }
}
