//! Laid-out SQL that is prepared once a connection.
//!
//! `diesel::sql_query` prepares its text anew at every call, since it cannot
//! know whether the text is fixed. Ours is: [`sql`] takes only `&'static str`, so
//! it may be kept, which halves the round trips of every query. Lists whose
//! conditions differ from one request to the next are put together by
//! [`Conditions`], of fixed pieces too, and are planned anew each time: a plan
//! for every filter at once would be a bad one for each.

use std::borrow::Cow;
use std::fmt::Write;
use std::marker::PhantomData;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Untyped};
use diesel::{QueryResult, RunQueryDsl};

/// How far the clocks of two processes, which their ids hold, may be apart: rows
/// that follow from another are looked for from so long before it.
pub(crate) const CLOCK_SKEW: TimeDelta = TimeDelta::hours(1);

/// A time that ids can hold: none is older than 1970.
pub(crate) fn after_epoch(at: DateTime<Utc>) -> DateTime<Utc> {
    at.max(DateTime::UNIX_EPOCH)
}

/// A statement with `$1`-style parameters, bound in order.
pub(crate) struct Statement<'a> {
    text: Cow<'static, str>,
    binds: Vec<Box<dyn QueryFragment<Pg> + Send + 'a>>,
}

/// A statement whose parameters are yet to be bound.
pub(crate) const fn sql<'a>(text: &'static str) -> Statement<'a> {
    Statement {
        text: Cow::Borrowed(text),
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

/// A statement in the making: fixed text, with the conditions that are asked for.
pub(crate) struct Conditions<'a> {
    text: String,
    statement: Statement<'a>,
}

impl<'a> Conditions<'a> {
    /// Begins with `text`, which has the parameters that are bound first.
    pub(crate) fn after(text: &'static str) -> Self {
        Self {
            text: text.to_owned(),
            statement: sql(""),
        }
    }

    /// Binds the next parameter of the text so far.
    pub(crate) fn bind<ST, V>(mut self, value: V) -> Self
    where
        Pg: HasSqlType<ST>,
        V: ToSql<ST, Pg> + Send + 'a,
        ST: 'static,
    {
        self.statement = self.statement.bind::<ST, V>(value);
        self
    }

    /// `AND condition`, whose every `{}` is `value`; nothing if there is no value.
    pub(crate) fn and<ST, V>(mut self, condition: &'static str, value: Option<V>) -> Self
    where
        Pg: HasSqlType<ST>,
        V: ToSql<ST, Pg> + Send + 'a,
        ST: 'static,
    {
        let Some(value) = value else { return self };
        self = self.bind::<ST, V>(value);
        let place = format!("${}", self.statement.binds.len());
        // Writing to a string cannot fail.
        let _ = write!(self.text, " AND {}", condition.replace("{}", &place));
        self
    }

    /// More fixed text, whose every `{}` is `value`.
    pub(crate) fn then<ST, V>(mut self, text: &'static str, value: V) -> Self
    where
        Pg: HasSqlType<ST>,
        V: ToSql<ST, Pg> + Send + 'a,
        ST: 'static,
    {
        self = self.bind::<ST, V>(value);
        let place = format!("${}", self.statement.binds.len());
        let _ = write!(self.text, " {}", text.replace("{}", &place));
        self
    }

    /// Ends with more fixed text, which has no parameter.
    pub(crate) fn end(mut self, text: &'static str) -> Self {
        self.text.push(' ');
        self.text.push_str(text);
        self
    }

    /// The whole statement.
    pub(crate) fn statement(self) -> Statement<'a> {
        Statement {
            text: Cow::Owned(self.text),
            ..self.statement
        }
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
        if let Cow::Owned(_) = self.text {
            out.unsafe_to_cache_prepared();
        }
        out.push_sql(&self.text);
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
