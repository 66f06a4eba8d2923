//! Sums, put together by currency and key.

use std::collections::BTreeMap;

use db::rollups::{Dimension, Measure, Sum};
use db::{DbError, Tenant};
use domain::Currency;
use domain::analytics::statistics::Share;

use super::asked::Wanted;
use crate::app::Api;

/// Number and money of each measure.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally(BTreeMap<Measure, (i64, i64)>);

impl Tally {
    pub(super) fn number(&self, measure: Measure) -> i64 {
        self.0.get(&measure).map_or(0, |(number, _)| *number)
    }

    /// In minor units.
    pub(super) fn minor(&self, measure: Measure) -> i64 {
        self.0.get(&measure).map_or(0, |(_, minor)| *minor)
    }

    /// Of the recoveries that opened, those that were won back; none of none.
    pub(super) fn won(&self) -> Option<Share> {
        let count = |measure| u64::try_from(self.number(measure)).unwrap_or(0);
        Share::new(count(Measure::Won), count(Measure::Opened))
    }

    /// Adds what another counted, and not its money, which is of another currency.
    pub(super) fn add_numbers(&mut self, other: &Self) {
        for (measure, (number, _)) in &other.0 {
            let (sum, _) = self.0.entry(*measure).or_default();
            *sum = sum.saturating_add(*number);
        }
    }

    pub(super) fn add(&mut self, sum: &Sum) {
        let (number, minor) = self.0.entry(sum.measure).or_default();
        *number = number.saturating_add(sum.number);
        *minor = minor.saturating_add(sum.minor);
    }
}

/// By currency, then by key, both sorted.
pub(super) type Tallies = Vec<(&'static str, BTreeMap<String, Tally>)>;

impl Wanted {
    /// The sums of the window by that dimension. A currency that was asked for is
    /// there, if with nothing.
    pub(super) async fn tallies(
        &self,
        api: &Api,
        tenant: Tenant,
        dimension: Dimension,
    ) -> Result<Tallies, DbError> {
        let sums = self.sums(api, tenant, dimension, None).await?;
        let mut found: BTreeMap<_, BTreeMap<String, Tally>> = BTreeMap::new();
        if let Some(currency) = self.currency {
            found.entry(currency.code()).or_default();
        }
        for sum in sums {
            let of_currency = found.entry(Currency::code(sum.currency)).or_default();
            of_currency.entry(sum.key.clone()).or_default().add(&sum);
        }
        Ok(found.into_iter().collect())
    }

    /// The tallies of the whole window, one for each currency.
    pub(super) async fn totals(
        &self,
        api: &Api,
        tenant: Tenant,
    ) -> Result<Vec<(&'static str, Tally)>, DbError> {
        let tallies = self.tallies(api, tenant, Dimension::All).await?;
        let of_all = |(currency, mut keys): (_, BTreeMap<String, Tally>)| {
            (currency, keys.remove("").unwrap_or_default())
        };
        Ok(tallies.into_iter().map(of_all).collect())
    }

    pub(super) async fn sums(
        &self,
        api: &Api,
        tenant: Tenant,
        dimension: Dimension,
        prefix: Option<&str>,
    ) -> Result<Vec<Sum>, DbError> {
        let pieces = self.window.pieces();
        let mut conn = api.backbone.db.read().await?;
        db::rollups::sums(&mut conn, tenant, dimension, &pieces, self.currency, prefix).await
    }
}
