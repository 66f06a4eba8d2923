//! Names as the PSPs write them.

use super::*;

#[test]
fn networks_are_read_as_psps_write_them() {
    use CardNetwork::{Amex, Discover, Mastercard, Other, Rupay, Visa};
    for (name, network) in [
        ("visa", Visa),
        ("Visa", Visa),
        ("mastercard", Mastercard),
        ("MasterCard", Mastercard),
        ("MC", Mastercard),
        ("Maestro", Mastercard),
        ("amex", Amex),
        ("American Express", Amex),
        ("american_express", Amex),
        ("discover", Discover),
        ("diners", Discover),
        ("Diners Club", Discover),
        ("RuPay", Rupay),
        ("jcb", Other),
        ("unionpay", Other),
        ("Unknown", Other),
        ("", Other),
    ] {
        assert_eq!(CardNetwork::from_psp(name), network, "{name:?}");
    }
}

#[test]
fn rails_are_read_as_psps_write_them() {
    for (rail, names) in [
        (Rail::Card, &["card", "card_present", "emi", "link"][..]),
        (Rail::UpiCollect, &[" UPI ", "upi_collect", "upi_intent"]),
        (Rail::UpiAutopay, &["upi_autopay", "upi_mandate"]),
        (Rail::Emandate, &["emandate", "nach", "eNACH"]),
        (Rail::Netbanking, &["netbanking", "ideal", "blik"]),
        (
            Rail::Wallet,
            &["wallet", "paypal", "klarna", "cardless_emi"],
        ),
        (
            Rail::BankDebit,
            &["us_bank_account", "sepa_debit", "bacs_debit", "acss_debit"],
        ),
        (Rail::Unknown, &["barter", "", "cards"]),
    ] {
        for name in names {
            assert_eq!(Rail::from_psp(name), rail, "{name:?}");
        }
        assert_eq!(rail.as_str().parse(), Ok(rail));
    }
}
