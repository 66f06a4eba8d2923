//! Debits of bank accounts outside India.

use super::rule;
use crate::limits::Rail;
use crate::limits::pack::RulePack;
use crate::limits::rule::{Binds, Mandates, Rule, Source, date};

/// Proposed in 2001 to take effect on 2002-03-22; the bulletin of 2013-07-15 repeats it.
const NACHA: Source = Source {
    title: "Nacha Operating Rules, 2.12.4 Reinitiation, as Bank Five Nine and the ACH bulletin of 2013-07-15 (Buckley) report it",
    url: "https://buckleyfirm.com/blog/2013-07-22/nacha-bulletin-addresses-reinitiation-returned-debits",
    read: "2026-11",
};

#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    rule("ach-reinitiations", "Nacha allows a returned ACH debit to be made again twice", NACHA, date(2002, 3, 22), RulePack::RAILS_AND_HOURS, Binds::Charges {
        mandates: Mandates { country: "US", currency: "USD", rails: &[Rail::BankDebit] },
        most: 2,
    }),
];
