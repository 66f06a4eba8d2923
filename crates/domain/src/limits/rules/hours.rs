//! The hours in which phones may be written to, by country.
//!
//! Most of these rules are made for advertising or for collecting debts, and
//! some for calls alone. A message about a failed payment is often outside of
//! them in law; they are kept all the same, since a payer woken at night is lost.
//!
//! Where no such rule was found (2026-11) the policy alone decides: the United
//! Kingdom, Germany, most of the European Union and Singapore ask for consent
//! and, as far as is generally known, set no hours. American states have narrower hours of
//! their own for advertising (Texas not before noon on Sundays, Florida until
//! 20:00): a merchant who advertises narrows the policy. French and
//! Brazilian carriers also bar advertising on Sundays, which is not kept for
//! payments that failed.

use super::rule;
use crate::limits::pack::RulePack;
use crate::limits::rule::{BEGINNING, Binds, Days, Rule, Source, date};

const TCPA: Source = Source {
    title: "47 CFR 64.1200(c)(1), telephone solicitations; 12 CFR 1006.6(b)(1), debt collection",
    url: "https://www.ecfr.gov/current/title-47/section-64.1200",
    read: "2026-11",
};
const TRAI: Source = Source {
    title: "TRAI, Telecom Commercial Communications Customer Preference (Sixth Amendment) Regulations, 2011, as MobiGyaan reports them",
    url: "https://www.mobigyaan.com/freedom-from-pesky-calls-and-sms-from-27th-september-really",
    read: "2026-11",
};
const ACCC: Source = Source {
    title: "ACCC and ASIC, Debt collection guideline for collectors and creditors, part 2, section 4, hours of contact",
    url: "https://www.accc.gov.au/publications/debt-collection-guideline-for-collectors-creditors/debt-collection-guideline-for-collectors-and-creditors/part-2-practical-guidance/4-hours-of-contact",
    read: "2026-11",
};
const CRTC: Source = Source {
    title: "CRTC, Unsolicited Telecommunications Rules, part III, hours of telemarketing, in force from 2008-09-30 (the hours from general knowledge)",
    url: "https://crtc.gc.ca/eng/trules-reglest.htm",
    read: "2026-11",
};
const ESENDEX: Source = Source {
    title: "French carriers' hours for SMS, as Esendex reports them (Brevo says until 22:00)",
    url: "https://ops.esendex.fr/?p=5396",
    read: "2026-11",
};

const TWILIO_AE: Source = Source {
    title: "Twilio, SMS guidelines for the United Arab Emirates",
    url: "https://www.twilio.com/en/guidelines/ae/sms",
    read: "2026-11",
};
const TWILIO_BR: Source = Source {
    title: "Twilio, SMS guidelines for Brazil",
    url: "https://www.twilio.com/en/guidelines/br/sms",
    read: "2026-11",
};
const MAPP_SA: Source = Source {
    title: "Mapp, SMS in Saudi Arabia",
    url: "https://docs.mapp.com/docs/ksa",
    read: "2026-11",
};
const VERO: Source = Source {
    title: "Vero, SMS quiet hours compliance",
    url: "https://help.getvero.com/vero-2/articles/sms-quiet-hours-compliance",
    read: "2026-11",
};

const fn phones(countries: &'static [&'static str], days: Days, from: u32, until: u32) -> Binds {
    Binds::Messages {
        countries,
        days,
        minutes: (from, until),
    }
}

const fn at(hour: u32, minute: u32) -> u32 {
    hour * 60 + minute
}

const SECOND: RulePack = RulePack::RAILS_AND_HOURS;

#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    rule("us-hours", "the United States allow phones to be written to from 08:00 to 21:00", TCPA, BEGINNING, SECOND,
        phones(&["US", "PR", "VI", "GU", "MP", "AS"], Days::All, at(8, 0), at(21, 0))),
    rule("india-hours", "India allows phones to be written to from 09:00 to 21:00", TRAI, date(2011, 9, 27), SECOND,
        phones(&["IN"], Days::All, at(9, 0), at(21, 0))),
    rule("australia-hours", "Australia's regulators hold 07:30 to 21:00 on weekdays to be reasonable", ACCC, BEGINNING, SECOND,
        phones(&["AU"], Days::MondayToFriday, at(7, 30), at(21, 0))),
    rule("australia-weekend-hours", "Australia's regulators hold 09:00 to 21:00 at week-ends to be reasonable", ACCC, BEGINNING, SECOND,
        phones(&["AU"], Days::Weekend, at(9, 0), at(21, 0))),
    rule("canada-hours", "Canada allows phones to be rung from 09:00 to 21:30 on weekdays", CRTC, date(2008, 9, 30), SECOND,
        phones(&["CA"], Days::MondayToFriday, at(9, 0), at(21, 30))),
    rule("canada-weekend-hours", "Canada allows phones to be rung from 10:00 to 18:00 at week-ends", CRTC, date(2008, 9, 30), SECOND,
        phones(&["CA"], Days::Weekend, at(10, 0), at(18, 0))),
    rule("france-hours", "France's carriers allow phones to be written to from 08:00 to 20:30", ESENDEX, BEGINNING, SECOND,
        phones(&["FR"], Days::All, at(8, 0), at(20, 30))),
    rule("uae-hours", "carriers of the United Arab Emirates allow phones to be written to from 07:00 to 21:00", TWILIO_AE, BEGINNING, SECOND,
        phones(&["AE"], Days::All, at(7, 0), at(21, 0))),
    rule("brazil-hours", "Brazil allows phones to be written to from 09:00 to 22:00", TWILIO_BR, BEGINNING, SECOND,
        phones(&["BR"], Days::All, at(9, 0), at(22, 0))),
    rule("saudi-arabia-hours", "Saudi Arabia allows phones to be written to from 07:00 to 22:00", MAPP_SA, BEGINNING, SECOND,
        phones(&["SA"], Days::All, at(7, 0), at(22, 0))),
    rule("mexico-hours", "providers keep messages in Mexico to 08:00 to 20:00", VERO, BEGINNING, SECOND,
        phones(&["MX"], Days::All, at(8, 0), at(20, 0))),
    rule("kazakhstan-hours", "providers keep messages in Kazakhstan to 09:00 to 22:00", VERO, BEGINNING, SECOND,
        phones(&["KZ"], Days::All, at(9, 0), at(22, 0))),
];
