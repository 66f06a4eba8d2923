//! India: the Reserve Bank's framework for recurring debits, and NPCI's rules
//! for UPI `AutoPay`. What is exempt by the merchant's trade (insurance, mutual
//! funds and card bills up to INR 100,000; `FASTag` and NCMC without a notice) is
//! not told apart here: the strict rule stands. Amounts in another currency are
//! left to the issuer, who asks for authentication where the limit is passed.

use super::rule;
use crate::limits::Rail::{self, Card, Emandate, Unknown, UpiAutopay, Wallet};
use crate::limits::pack::RulePack;
use crate::limits::rule::{Binds, Mandates, Rule, Source, date};

const RBI_2019: Source = Source {
    title: "Reserve Bank of India, Processing of e-mandate on cards for recurring transactions, 2019-08-21, as Stripe's India recurring payments page cites it (enforced from 2021-10-01)",
    url: "https://www.rbi.org.in/Scripts/NotificationUser.aspx?Id=11668",
    read: "2026-11",
};
const RBI_2020: Source = Source {
    title: "Reserve Bank of India, 2020-12-04, in force from 2021-01-01, as Stripe and Mint cite it",
    url: "https://www.rbi.org.in/Scripts/NotificationUser.aspx?Id=12002",
    read: "2026-11",
};
const RBI_2022: Source = Source {
    title: "Reserve Bank of India, notification of 2022-06-16 (Mint, 2022-06-17), kept by the Digital Payments E-mandate Framework of 2026-04-21 (Mint)",
    url: "https://www.livemint.com/money/no-more-otp-hassle-how-rbi-s-new-e-mandate-rules-smooth-out-high-value-payments-11777542721285.html",
    read: "2026-11",
};
const NPCI_2025: Source = Source {
    title: "NPCI's circular on the use of UPI's API, in force from 2025-08-01, as Patrika and The Sentinel report it",
    url: "https://www.patrika.com/en/national-news/upi-payment-users-alert-new-rules-incoming-19626132",
    read: "2026-11",
};

/// Rails of the e-mandate framework: cards, prepaid instruments, UPI.
const FRAMEWORK: &[Rail] = &[Card, Wallet, UpiAutopay, Unknown];
/// The notice is given ahead of debits through NACH too.
const NOTIFIED: &[Rail] = &[Card, Wallet, UpiAutopay, Emandate, Unknown];
const AUTOPAY: &[Rail] = &[UpiAutopay, Unknown];

const fn india(rails: &'static [Rail]) -> Mandates {
    Mandates {
        country: "IN",
        currency: "INR",
        rails,
    }
}

const fn above(rupees: i64) -> Binds {
    Binds::Amount {
        mandates: india(FRAMEWORK),
        currency: "INR",
        most_minor: rupees * 100,
    }
}

const SECOND: RulePack = RulePack::RAILS_AND_HOURS;

#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    rule("rbi-authentication", "India asks the payer to authenticate each recurring debit above INR 2,000", RBI_2019, date(2019, 9, 1), SECOND, above(2_000))
        .ending(2021, 1, 1),
    rule("rbi-authentication", "India asks the payer to authenticate each recurring debit above INR 5,000", RBI_2020, date(2021, 1, 1), SECOND, above(5_000))
        .ending(2022, 6, 16),
    rule("rbi-authentication", "India asks the payer to authenticate each recurring debit above INR 15,000", RBI_2022, date(2022, 6, 16), SECOND, above(15_000)),
    // The mandate's own first attempt is the charge that failed.
    rule("upi-autopay-retries", "UPI AutoPay allows three retries of a debit", NPCI_2025, date(2025, 8, 1), SECOND, Binds::Charges {
        mandates: india(AUTOPAY),
        most: 3,
    }),
    rule("rbi-notice", "India has the payer told 24 hours before a recurring debit", RBI_2019, date(2019, 9, 1), SECOND, Binds::Notice {
        mandates: india(NOTIFIED),
        hours: 24,
    }),
    // India's clock has been at UTC+05:30 all year since 1945.
    rule("upi-autopay-windows", "UPI AutoPay debits are made before 10:00, from 13:00 to 17:00 and after 21:30 India time", NPCI_2025, date(2025, 8, 1), SECOND, Binds::Clock {
        mandates: india(AUTOPAY),
        utc_offset_minutes: 5 * 60 + 30,
        open: &[(0, 10 * 60), (13 * 60, 17 * 60), (21 * 60 + 30, 24 * 60)],
    }),
];
