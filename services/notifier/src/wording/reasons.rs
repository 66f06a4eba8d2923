//! Why a payment failed, in words that a payer understands and a bystander may read.

use domain::Category;

use super::Language;

/// `None` where nothing is said: a lost or stolen card is not named to whoever
/// reads the message, and a merchant's own fault is not the payer's business.
pub(super) const fn reason(language: Language, category: Category) -> Option<&'static str> {
    let (english, hindi) = match category {
        Category::InsufficientFunds => (
            "there was not enough money in the account",
            "खाते में पर्याप्त राशि नहीं थी",
        ),
        Category::IssuerDecline => ("the bank declined it", "बैंक ने इसे अस्वीकार किया"),
        Category::ExpiredCard => ("the card has expired", "कार्ड की अवधि समाप्त हो चुकी है"),
        Category::InvalidDetails => (
            "the card details were not right",
            "कार्ड का विवरण सही नहीं था",
        ),
        Category::AuthenticationRequired => {
            ("the bank wants you to confirm it", "बैंक आपकी पुष्टि चाहता है")
        }
        Category::LimitExceeded => (
            "a limit of the card or account was reached",
            "कार्ड या खाते की सीमा पूरी हो गई",
        ),
        Category::ProcessingError => ("the bank could not be reached", "बैंक से संपर्क नहीं हो पाया"),
        Category::Network => ("the connection was lost", "संपर्क टूट गया"),
        Category::UpiPending => (
            "the UPI payment was not confirmed",
            "UPI भुगतान की पुष्टि नहीं हुई",
        ),
        Category::UpiDeclined => ("the UPI payment was declined", "UPI भुगतान अस्वीकार हुआ"),
        Category::DoNotRetry
        | Category::Duplicate
        | Category::Configuration
        | Category::Unknown => return None,
    };
    Some(match language {
        Language::English => english,
        Language::Hindi => hindi,
    })
}

/// Stands for a payer's name where it is not known: WhatsApp takes no empty parameter.
pub(super) const fn payer_without_a_name(language: Language) -> &'static str {
    match language {
        Language::English => "there",
        Language::Hindi => "जी",
    }
}
