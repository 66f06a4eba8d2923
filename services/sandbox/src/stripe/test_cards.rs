//! Stripe's documented test card numbers (docs.stripe.com/testing).

use super::payment_methods::Plan;

/// A documented test card (docs.stripe.com/testing).
pub(super) struct TestCard {
    pub(super) number: &'static str,
    pub(super) brand: &'static str,
    pub(super) outcome: &'static str,
    pub(super) says: &'static str,
}

const fn card(
    number: &'static str,
    brand: &'static str,
    outcome: &'static str,
    says: &'static str,
) -> TestCard {
    TestCard {
        number,
        brand,
        outcome,
        says,
    }
}

pub(super) const TEST_CARDS: [TestCard; 14] = [
    card("4242424242424242", "visa", "ok", "pays (Visa)"),
    card("5555555555554444", "mastercard", "ok", "pays (Mastercard)"),
    card("378282246310005", "amex", "ok", "pays (American Express)"),
    card("4000003560000008", "visa", "ok", "pays (Visa from India)"),
    card(
        "4000002500003155",
        "visa",
        "authentication_required",
        "asks to authenticate",
    ),
    card(
        "4000002760003184",
        "visa",
        "authentication_required",
        "asks to authenticate",
    ),
    card("4000000000000002", "visa", "generic_decline", "is declined"),
    card(
        "4000000000009995",
        "visa",
        "insufficient_funds",
        "has insufficient funds",
    ),
    card("4000000000009987", "visa", "lost_card", "is reported lost"),
    card(
        "4000000000009979",
        "visa",
        "stolen_card",
        "is reported stolen",
    ),
    card("4000000000000069", "visa", "expired_card", "has expired"),
    card(
        "4000000000000127",
        "visa",
        "incorrect_cvc",
        "has another security code",
    ),
    card(
        "4000000000000119",
        "visa",
        "processing_error",
        "meets a processing error",
    ),
    card(
        "4000000000006975",
        "visa",
        "card_velocity_exceeded",
        "is over its limit",
    ),
];

/// What the card of this number does; none for a number that is not documented.
pub(super) fn plan_of(number: &str) -> Option<Plan> {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let card = TEST_CARDS.iter().find(|card| card.number == digits)?;
    let last4 = digits
        .get(digits.len().saturating_sub(4)..)
        .unwrap_or_default();
    let mut plan = Plan::of_number(card.brand, last4, card.outcome);
    if card.number == "4000003560000008" {
        "IN".clone_into(&mut plan.country);
    }
    Some(plan)
}

#[cfg(test)]
mod tests {
    use super::super::declines::Outcome;
    use super::*;

    #[test]
    fn every_test_card_is_found_by_its_number_as_people_write_it() {
        let plan = plan_of("4000 0000 0000 9995");
        let outcomes = plan.map(|plan| plan.outcomes);
        assert_eq!(outcomes, Some(vec![Outcome::of("insufficient_funds")]));
        assert!(plan_of("4242424242424241").is_none());
    }
}
