//! What came of a simulation, as JSON.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::limits::{CardTry, RulePack};
use domain::schedule::{Considered, Facts, Plan, Step};
use domain::simulation::{Effect, Forecast, Played, budgets};
use domain::{AttemptKind, Channel};
use serde::Serialize;
use utoipa::ToSchema;

use crate::openapi::words;

/// What every play takes for granted.
const ASSUMPTIONS: &str = "Every charge is declined for the same reason, every message goes out, \
     and no payer pays: the most that the policy would do. Each failure is played alone.";
/// Most cards whose budgets are shown: those that are used most.
const MOST_CARDS: usize = 100;

/// What a policy would do.
#[derive(Serialize, ToSchema)]
#[schema(as = Simulated)]
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
}

/// What the plays add up to, one after the other.
pub(super) struct Tally {
    pack: RulePack,
    forecast: Forecast,
    cards: BTreeMap<String, OnCard>,
    plans: Vec<PlanView>,
}

/// What was tried on a card, and what the plays tried.
struct OnCard {
    /// Of one of its recoveries.
    facts: Facts,
    before: Vec<CardTry>,
    planned: Vec<CardTry>,
}

/// Counts over all failures.
#[derive(Serialize, ToSchema)]
#[schema(as = SimulatedTotals)]
struct Totals {
    acted_on: u32,
    held_out: u32,
    given_up: u32,
    charges: u32,
    messages: u32,
}

/// Messages of a day.
#[derive(Serialize, ToSchema)]
#[schema(as = SimulatedContacts)]
struct Contacts {
    day: NaiveDate,
    #[schema(value_type = words::Channel)]
    channel: Channel,
    count: u32,
}

/// Charges of a day. Money of two currencies is never added.
#[derive(Serialize, ToSchema)]
#[schema(as = SimulatedCharges)]
struct Charged {
    day: NaiveDate,
    currency: &'static str,
    count: u32,
    #[schema(value_type = i64)]
    amount: i128,
}

/// How much of a rule's room a card would use.
#[derive(Serialize, ToSchema)]
#[schema(as = SimulatedBudget)]
struct BudgetView {
    card: String,
    rule: &'static str,
    used: u32,
    most: u32,
    /// Whether charges would be put off or refused, for want of room.
    exceeded: bool,
}

/// A rule that did not allow what the policy asked for.
#[derive(Serialize, ToSchema)]
#[schema(as = SimulatedRule)]
struct BoundView {
    rule: String,
    words: &'static str,
    source: String,
    #[schema(value_type = words::Effect)]
    effect: Effect,
    count: u32,
}

/// What would be done about one failure.
#[derive(Serialize, ToSchema)]
#[schema(as = SimulatedPlan)]
struct PlanView {
    transaction_ref: String,
    #[schema(required)]
    variant: Option<String>,
    hold_out: bool,
    steps: Vec<StepView>,
    end: EndView,
}

/// One step.
#[derive(Serialize, ToSchema)]
#[schema(as = SimulatedStep)]
struct StepView {
    number: u32,
    #[schema(value_type = words::AttemptKind)]
    kind: AttemptKind,
    due_at: DateTime<Utc>,
    #[schema(value_type = Vec<words::Channel>)]
    channels: Vec<Channel>,
    why: String,
    /// What else was weighed.
    #[schema(value_type = Vec<Object>)]
    considered: Vec<Considered>,
}

/// How it would end.
#[derive(Serialize, ToSchema)]
#[schema(as = SimulatedEnd)]
struct EndView {
    /// `wait` or `give_up`.
    outcome: &'static str,
    #[schema(required)]
    until: Option<DateTime<Utc>>,
    why: String,
}

impl Tally {
    pub(super) fn new(pack: RulePack) -> Self {
        Self {
            pack,
            forecast: Forecast::default(),
            cards: BTreeMap::new(),
            plans: Vec::new(),
        }
    }

    pub(super) fn add(
        &mut self,
        reference: String,
        card: Option<String>,
        facts: Facts,
        played: Played,
    ) {
        self.forecast.add(&facts, &played, self.pack);
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
            hold_out: facts.assignment.hold_out,
            variant: facts.assignment.variant.map(String::from),
            end: EndView::of(&played.end),
            steps: played.steps.into_iter().map(StepView::of).collect(),
        });
    }

    pub(super) fn into_view(self) -> SimulationView {
        let forecast = &self.forecast;
        let contacts: Vec<_> = forecast
            .contacts
            .iter()
            .map(|((day, channel), count)| Contacts {
                day: *day,
                channel: *channel,
                count: *count,
            })
            .collect();
        let charges: Vec<_> = forecast
            .charges
            .iter()
            .map(|((day, currency), charges)| Charged {
                day: *day,
                currency,
                count: charges.count,
                amount: charges.minor,
            })
            .collect();
        SimulationView {
            assumptions: ASSUMPTIONS,
            rule_pack: self.pack.id(),
            failures: self.plans.len(),
            totals: Totals {
                acted_on: forecast.acted_on,
                held_out: forecast.held_out,
                given_up: forecast.given_up,
                charges: charges.iter().map(|it| it.count).sum(),
                messages: contacts.iter().map(|it| it.count).sum(),
            },
            contacts,
            charges,
            budgets: self.used_budgets(),
            rules: bound(forecast, self.pack),
            plans: self.plans,
        }
    }

    fn used_budgets(&self) -> Vec<BudgetView> {
        let of_card = |(card, on): (&String, &OnCard)| {
            let used = budgets(&on.facts, &on.before, &on.planned, self.pack);
            let card = card.clone();
            used.into_iter().map(move |budget| BudgetView {
                card: card.clone(),
                rule: budget.rule,
                used: budget.used,
                most: budget.most,
                exceeded: budget.used > budget.most,
            })
        };
        let mut views: Vec<_> = self.cards.iter().flat_map(of_card).collect();
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
