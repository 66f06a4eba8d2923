//! What a payer is told, and which other means are offered.

use super::{AlternativeMeans, Category, Contact};
use AlternativeMeans::{Card, CardOtherBank, Netbanking, UpiCollect};

/// What the payer can do about it, in plain words. Where the reason must not be
/// named, the words are the same whatever it was; where nobody is written to,
/// there are none.
pub(super) const fn payer_advice(category: Category, contact: Contact) -> &'static str {
    match (contact, category) {
        (Contact::None, _) => "",
        (Contact::Neutral, _) => "Please use another card or another way to pay.",
        (Contact::Normal, category) => plain_advice(category),
    }
}

const fn plain_advice(category: Category) -> &'static str {
    match category {
        Category::InsufficientFunds => {
            "Your account did not have enough money. Add money, or use another way to pay."
        }
        Category::IssuerDecline => {
            "Your bank declined the payment. Ask your bank, or use another way to pay."
        }
        Category::DoNotRetry => "These means can no longer be used. Please use another way to pay.",
        Category::ExpiredCard => "Your card has expired. Please use another card.",
        Category::InvalidDetails => {
            "Something in your payment details was not right. Please enter them again."
        }
        Category::AuthenticationRequired => {
            "Your bank wants you to confirm the payment. Please pay again and confirm it."
        }
        Category::LimitExceeded => {
            "Your bank's limit was reached. Try again tomorrow, or use another way to pay."
        }
        Category::ProcessingError | Category::Network => {
            "The payment could not be processed. Please try again, or use another way to pay."
        }
        Category::UpiPending => {
            "Your UPI payment is not confirmed yet. Check your UPI app before you pay again."
        }
        Category::UpiDeclined => {
            "Your UPI payment was not completed. Please pay again, or use another way to pay."
        }
        Category::Duplicate | Category::Configuration | Category::Unknown => {
            "The payment was not completed. Please pay again."
        }
    }
}

/// Other means that fit, the best first: the older contract's lists, and for the
/// finer categories the list of the older one that they fall under.
pub(super) const fn alternatives(category: Category) -> &'static [AlternativeMeans] {
    match category {
        Category::Network | Category::ProcessingError | Category::AuthenticationRequired => {
            &[UpiCollect, Netbanking]
        }
        Category::InsufficientFunds => &[Netbanking, CardOtherBank, UpiCollect],
        Category::IssuerDecline
        | Category::DoNotRetry
        | Category::ExpiredCard
        | Category::InvalidDetails
        | Category::LimitExceeded => &[CardOtherBank, Netbanking, UpiCollect],
        Category::UpiPending | Category::UpiDeclined => &[Netbanking, Card],
        Category::Unknown => &[UpiCollect, Netbanking, Card],
        Category::Duplicate | Category::Configuration => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_payer_is_told_of_each_category() {
        let told: Vec<_> = Category::ALL
            .iter()
            .map(|category| format!("{category}: {}", payer_advice(*category, Contact::Normal)))
            .collect();
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn where_the_reason_must_not_be_named_the_words_are_the_same_for_all() {
        for category in Category::ALL {
            assert_eq!(payer_advice(*category, Contact::None), "");
            let neutral = payer_advice(*category, Contact::Neutral);
            assert_eq!(
                neutral,
                payer_advice(Category::DoNotRetry, Contact::Neutral)
            );
            assert!(!neutral.is_empty());
        }
    }
}
