//! Laid-out SQL that is prepared once a connection.
//!
//! `diesel::sql_query` prepares its text anew at every call, since it cannot
//! know whether the text is fixed. Ours is: a [`Statement`] takes only
//! `&'static str`, so it may be kept, which halves the round trips of every query.

use std::marker::PhantomData;

use chrono::TimeDelta;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Untyped};
use diesel::{QueryResult, RunQueryDsl};

/// How far the clocks of two processes, which their ids hold, may be apart: rows
/// that follow from another are looked for from so long before it.
pub(crate) const CLOCK_SKEW: TimeDelta = TimeDelta::hours(1);

/// A statement with `$1`-style parameters, bound in order.
pub(crate) struct Statement<'a> {
    text: &'static str,
    binds: Vec<Box<dyn QueryFragment<Pg> + Send + 'a>>,
}

/// A statement whose parameters are yet to be bound.
pub(crate) const fn sql<'a>(text: &'static str) -> Statement<'a> {
    Statement {
        text,
        binds: Vec::new(),
    }
}

impl<'a> Statement<'a> {
    /// Binds the next parameter, `$n`, as SQL type `ST`.
    pub(crate) fn bind<ST, V>(mut self, value: V) -> Self
    where
        Pg: HasSqlType<ST>,
        V: ToSql<ST, Pg> + Send + 'a,
        ST: 'static,
    {
        self.binds.push(Box::new(Bind {
            value,
            kind: PhantomData::<fn() -> ST>,
        }));
        self
    }
}

struct Bind<ST, V> {
    value: V,
    kind: PhantomData<fn() -> ST>,
}

impl<ST, V> QueryFragment<Pg> for Bind<ST, V>
where
    Pg: HasSqlType<ST>,
    V: ToSql<ST, Pg>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_bind_param_value_only(&self.value)
    }
}

impl QueryFragment<Pg> for Statement<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(self.text);
        self.binds
            .iter()
            .try_for_each(|bind| bind.walk_ast(out.reborrow()))
    }
}

impl QueryId for Statement<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Statement<'_> {
    type SqlType = Untyped;
}

impl<Conn> RunQueryDsl<Conn> for Statement<'_> {}
