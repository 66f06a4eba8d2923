//! What a merchant's people may do.

use crate::state::named;

named! {
    /// A person's role. Each takes in the ones before it.
    Role, "role" {
        /// Sees what is known.
        Analyst = "analyst",
        /// Also acts on recoveries: reports, makes links, cancels.
        Operator = "operator",
        /// Also changes keys, people, policies and connections.
        Admin = "admin",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_takes_in_the_ones_before_it_and_reads_back() {
        assert!(Role::Analyst < Role::Operator && Role::Operator < Role::Admin);
        for role in Role::ALL {
            assert_eq!(role.to_string().parse(), Ok(*role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
        }
        assert!("owner".parse::<Role>().is_err());
    }
}
