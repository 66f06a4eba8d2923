//! The words of a failure, which decide where no code does.

use super::Category;
use super::table::Verdict;

/// The rules of the older contract, in its order: the first that fits wins.
pub(super) fn read(message: &str) -> Option<(Verdict, &'static str)> {
    let message = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if says(&["otp", "3ds", "authentication"]) {
        let verdict = Verdict::payer_retries(Category::AuthenticationRequired, 30);
        Some((verdict, "the message speaks of authentication"))
    } else if says(&["network", "timeout", "gateway"]) {
        let verdict = Verdict::soft_after(Category::Network, 30);
        Some((verdict, "the message speaks of connection trouble"))
    } else if says(&["insufficient"]) {
        let verdict = Verdict::soft(Category::InsufficientFunds);
        Some((verdict, "the message speaks of missing money"))
    } else if says(&["upi"]) && says(&["pending"]) {
        let verdict = Verdict::payer_retries(Category::UpiPending, 0);
        Some((verdict, "the message speaks of a pending UPI payment"))
    } else {
        None
    }
}
