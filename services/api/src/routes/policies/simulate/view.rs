//! What came of a simulation, as JSON.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::limits::{CardTry, RulePack};
use domain::schedule::{Considered, Facts, Plan, Step};
use domain::simulation::{Effect, Forecast, Played, budgets};
use domain::{AttemptKind, Channel};
use serde::Serialize;

/// What every play takes for granted.
const ASSUMPTIONS: &str = "Every charge is declined for the same reason, every message goes out, \
     and no payer pays: the most that the policy would do. Each failure is played alone.";
/// Most cards whose budgets are shown: those that are used most.
const MOST_CARDS: usize = 100;

#[derive(Serialize)]
pub(crate) struct SimulationView {
    assumptions: &'static str,
    rule_pack: &'static str,
    failures: usize,
    totals: Totals,
    contacts: Vec<Contacts>,
    charges: Vec<Charged>,
    budgets: Vec<BudgetView>,
    /// What the policy asked for and rules did not allow.
    rules: Vec<BoundView>,
    plans: Vec<PlanView>,
    #[serde(skip)]
    pack: RulePack,
    #[serde(skip)]
    forecast: Forecast,
    #[serde(skip)]
    cards: BTreeMap<String, OnCard>,
}

/// What was tried on a card, and what the plays tried.
struct OnCard {
    /// Of one of its recoveries.
    facts: Facts,
    before: Vec<CardTry>,
    planned: Vec<CardTry>,
}

#[derive(Serialize, Default)]
struct Totals {
    acted_on: u32,
    held_out: u32,
    given_up: u32,
    charges: u32,
    messages: u32,
}

#[derive(Serialize)]
struct Contacts {
    day: NaiveDate,
    channel: Channel,
    count: u32,
}

/// Charges of a day. Money of two currencies is never added.
#[derive(Serialize)]
struct Charged {
    day: NaiveDate,
    currency: &'static str,
    count: u32,
    amount: i128,
}

#[derive(Serialize)]
struct BudgetView {
    card: String,
    rule: &'static str,
    used: u32,
    most: u32,
    /// Whether charges would be put off or refused, for want of room.
    exceeded: bool,
}

#[derive(Serialize)]
struct BoundView {
    rule: String,
    words: &'static str,
    source: String,
    effect: Effect,
    count: u32,
}

#[derive(Serialize)]
struct PlanView {
    transaction_ref: String,
    variant: Option<String>,
    hold_out: bool,
    steps: Vec<StepView>,
    end: EndView,
}

#[derive(Serialize)]
struct StepView {
    number: u32,
    kind: AttemptKind,
    due_at: DateTime<Utc>,
    channels: Vec<Channel>,
    why: String,
    considered: Vec<Considered>,
}

#[derive(Serialize)]
struct EndView {
    /// `wait` or `give_up`.
    outcome: &'static str,
    until: Option<DateTime<Utc>>,
    why: String,
}

impl SimulationView {
    pub(super) fn new(pack: RulePack) -> Self {
        Self {
            assumptions: ASSUMPTIONS,
            rule_pack: pack.id(),
            failures: 0,
            totals: Totals::default(),
            contacts: Vec::new(),
            charges: Vec::new(),
            budgets: Vec::new(),
            rules: Vec::new(),
            plans: Vec::new(),
            pack,
            forecast: Forecast::default(),
            cards: BTreeMap::new(),
        }
    }

    pub(super) fn add(
        &mut self,
        reference: String,
        card: Option<String>,
        facts: Facts,
        played: Played,
    ) {
        let hold_out = facts.assignment.hold_out;
        let currency = facts.amount.currency();
        self.failures += 1;
        self.forecast
            .add(facts.time_zone, hold_out, currency, &played, self.pack);
        if let Some(card) = card {
            let (before, planned) = played.tries.split_at(facts.tries.len());
            let known = self.cards.entry(card).or_insert_with(|| OnCard {
                facts: facts.clone(),
                before: Vec::new(),
                planned: Vec::new(),
            });
            known.before.extend_from_slice(before);
            known.planned.extend_from_slice(planned);
        }
        self.plans.push(PlanView {
            transaction_ref: reference,
            variant: facts.assignment.variant.map(String::from),
            hold_out,
            end: EndView::of(&played.end),
            steps: played.steps.into_iter().map(StepView::of).collect(),
        });
    }

    pub(super) fn finish(&mut self) {
        let forecast = &self.forecast;
        self.contacts = forecast
            .contacts
            .iter()
            .map(|((day, channel), count)| Contacts {
                day: *day,
                channel: *channel,
                count: *count,
            })
            .collect();
        self.charges = forecast
            .charges
            .iter()
            .map(|((day, currency), charges)| Charged {
                day: *day,
                currency,
                count: charges.count,
                amount: charges.minor,
            })
            .collect();
        self.totals = Totals {
            acted_on: forecast.acted_on,
            held_out: forecast.held_out,
            given_up: forecast.given_up,
            charges: self.charges.iter().map(|it| it.count).sum(),
            messages: self.contacts.iter().map(|it| it.count).sum(),
        };
        self.rules = bound(forecast, self.pack);
        self.budgets = self.used_budgets();
    }

    fn used_budgets(&self) -> Vec<BudgetView> {
        let mut views: Vec<_> = self
            .cards
            .iter()
            .flat_map(|(card, on)| {
                budgets(&on.facts, &on.before, &on.planned, self.pack)
                    .into_iter()
                    .map(|budget| BudgetView {
                        card: card.clone(),
                        rule: budget.rule,
                        used: budget.used,
                        most: budget.most,
                        exceeded: budget.used > budget.most,
                    })
            })
            .collect();
        views.sort_by_key(|view| (!view.exceeded, view.most.saturating_sub(view.used)));
        views.truncate(MOST_CARDS);
        views
    }
}

fn bound(forecast: &Forecast, pack: RulePack) -> Vec<BoundView> {
    let view = |((id, effect), count): (&(String, Effect), &u32)| {
        let rule = pack.rule(id)?;
        Some(BoundView {
            rule: id.clone(),
            words: rule.words,
            source: rule.source.to_string(),
            effect: *effect,
            count: *count,
        })
    };
    forecast.bound.iter().filter_map(view).collect()
}

impl StepView {
    fn of(played: domain::simulation::PlayedStep) -> Self {
        let Step {
            number,
            kind,
            due_at,
            channels,
            why,
        } = played.step;
        Self {
            number,
            kind,
            due_at,
            channels,
            why,
            considered: played.considered,
        }
    }
}

impl EndView {
    fn of(plan: &Plan) -> Self {
        let until = match plan {
            Plan::Wait { until, .. } => Some(*until),
            Plan::Act(_) | Plan::GiveUp { .. } => None,
        };
        Self {
            outcome: plan.outcome(),
            until,
            why: plan.why().to_owned(),
        }
    }
}
