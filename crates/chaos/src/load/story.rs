//! What the cases are.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;

/// What happens to a payment, and what its payer and merchant do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Story {
    /// A card short of funds; the second charge of it goes through.
    FundsThenOk,
    /// A card that goes through when it is charged again.
    OkAtOnce,
    /// A card that never has funds, and a payer who never answers.
    NeverOk,
    /// An expired card; the payer pays by the link.
    ExpiredThenPays,
    /// A stolen card; nobody pays.
    Stolen,
    /// UPI that failed; the payer pays by the link.
    UpiThenPays,
    /// UPI that failed; nobody pays.
    UpiIgnored,
    /// A report of its own; the payer pays by the link.
    ReportThenPays,
    /// A report of its own; nobody pays.
    ReportIgnored,
    /// An item of a batch; nobody pays.
    Batched,
    /// The merchant cancels while charges are being made.
    Cancelled,
    /// The payer pays at the merchant's while charges are being made.
    PaidElsewhere,
    /// The payer answers STOP to a text message, or sends it before one comes.
    Stops,
}

impl Story {
    const WEIGHTS: [(Self, u32); 13] = [
        (Self::FundsThenOk, 4),
        (Self::OkAtOnce, 4),
        (Self::NeverOk, 2),
        (Self::ExpiredThenPays, 4),
        (Self::Stolen, 2),
        (Self::UpiThenPays, 3),
        (Self::UpiIgnored, 1),
        (Self::ReportThenPays, 3),
        (Self::ReportIgnored, 1),
        (Self::Batched, 4),
        (Self::Cancelled, 3),
        (Self::PaidElsewhere, 3),
        (Self::Stops, 2),
    ];

    /// One of them.
    pub fn draw(rng: &mut StdRng) -> Self {
        let drawn = Self::WEIGHTS.choose_weighted(rng, |(_, weight)| *weight);
        drawn.map_or(Self::OkAtOnce, |(story, _)| *story)
    }

    /// For references and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FundsThenOk => "funds-then-ok",
            Self::OkAtOnce => "ok-at-once",
            Self::NeverOk => "never-ok",
            Self::ExpiredThenPays => "expired-then-pays",
            Self::Stolen => "stolen",
            Self::UpiThenPays => "upi-then-pays",
            Self::UpiIgnored => "upi-ignored",
            Self::ReportThenPays => "report-then-pays",
            Self::ReportIgnored => "report-ignored",
            Self::Batched => "batched",
            Self::Cancelled => "cancelled",
            Self::PaidElsewhere => "paid-elsewhere",
            Self::Stops => "stops",
        }
    }

    /// Whether the saved card goes through within the charges that the policy allows. It may not be
    /// charged where the policy begins with messages.
    pub const fn card_comes_good(self) -> bool {
        matches!(self, Self::FundsThenOk | Self::OkAtOnce)
    }
}

/// One payer with one failed payment.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its place in the run.
    pub number: u64,
    /// The organization's place among those of the ground.
    pub organization: usize,
    /// What happens.
    pub story: Story,
    /// The merchant's reference.
    pub reference: String,
    /// The payer's address.
    pub email: String,
    /// The payer's number, of a country without hours for messages.
    pub phone: String,
    /// The PSP's event that reports the failure, where one does.
    pub event: Option<String>,
    /// The merchant's own payment at the PSP, where there is one.
    pub payment: Option<String>,
}

impl Case {
    /// A payer of their own.
    pub fn new(number: u64, organization: usize, story: Story) -> Self {
        let reference = format!("c{number:06}-{}", story.name());
        Self {
            number,
            organization,
            story,
            email: format!("{reference}@payer.example"),
            // Singapore has no law of hours, and numbers of eight digits that begin with 8 or 9.
            phone: format!("+659{:07}", number % 10_000_000),
            reference,
            event: None,
            payment: None,
        }
    }
}
