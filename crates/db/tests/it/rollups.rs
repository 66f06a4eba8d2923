//! Roll-ups: every event once, whatever is delivered twice; and what they come to
//! is what is found when the rows are counted.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use contracts::Envelope;
use db::events::Event;
use db::failures::NewFailure;
use db::recoveries::{NewRecovery, RecoveredBy};
use db::rollups::{self, Dimension, Measure, Sum};
use db::transactions::Report;
use db::{Cause, DbError, Tenant, Tx};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl;
use domain::analytics::window::{Window, day_begins};
use domain::classification::{FailureSource, Signals, classify};
use domain::id::{RecoveryId, RecoveryLink, RecoveryLinkId};
use domain::{Currency, Money, RecoveryState, TransactionRef};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt, SeedableRng};
use serde_json::json;

use crate::stage::{Stage, now};

/// All sums but those that came to nothing, as lines.
async fn rows(stage: &Stage) -> Vec<String> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        line: String,
    }
    let mut conn = stage.db.read().await.unwrap();
    let rows: Vec<Row> = diesel::sql_query(
        "SELECT concat_ws(' ', organization_id, dimension, span_minutes, bucket, currency, measure,
                          key, number, minor) AS line
         FROM rollups WHERE number <> 0 OR minor <> 0 ORDER BY 1",
    )
    .load(&mut conn)
    .await
    .unwrap();
    rows.into_iter().map(|row| row.line).collect()
}

async fn scalar(stage: &Stage, query: &str) -> i64 {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    let mut conn = stage.db.read().await.unwrap();
    let row: Row = diesel::sql_query(query)
        .get_result(&mut conn)
        .await
        .unwrap();
    row.n
}

async fn begin(stage: &Stage, at: DateTime<Utc>) -> Tx {
    let cause = Cause {
        at,
        actor: "test".to_owned(),
        traceparent: None,
        tracestate: None,
    };
    stage.db.begin(cause).await.unwrap()
}

/// Opens a recovery as the api does.
async fn open(
    stage: &Stage,
    tenant: Tenant,
    reference: &str,
    owed: Money,
    code: &str,
    at: DateTime<Utc>,
) -> RecoveryId {
    let mut tx = begin(stage, at).await;
    let reference = TransactionRef::parse(reference).unwrap();
    let transaction =
        db::transactions::upsert(&mut tx, tenant, &reference, owed, &Report::default())
            .await
            .unwrap()
            .id;
    let failure = db::failures::claim_key(&mut tx, tenant, "stripe", reference.as_str())
        .await
        .unwrap()
        .unwrap();
    let report = NewFailure {
        source: "stripe".to_owned(),
        gateway: None,
        reason: code.to_owned(),
        code: Some(code.to_owned()),
        advice_code: None,
        network_decline_code: None,
        network_advice_code: None,
        message: None,
        metadata: json!({}),
        occurred_at: at,
    };
    let classification = classify(&Signals {
        code: Some(code),
        ..Signals::new(FailureSource::Stripe)
    });
    let new = NewRecovery {
        transaction,
        amount: owed,
        category: classification.category,
        hardness: classification.hardness,
        policy: None,
        assigned: db::recoveries::Assigned::default(),
        closes_at: at + TimeDelta::days(30),
    };
    let recovery = db::recoveries::open(&mut tx, tenant, &new).await.unwrap();
    db::failures::add(
        &mut tx,
        tenant,
        failure,
        transaction,
        recovery,
        &report,
        &classification,
    )
    .await
    .unwrap();
    announce(&mut tx, tenant, recovery, "recovery.opened", json!({}));
    tx.commit().await.unwrap();
    recovery
}

fn announce(
    tx: &mut Tx,
    tenant: Tenant,
    recovery: RecoveryId,
    kind: &str,
    detail: serde_json::Value,
) {
    db::timeline::announce(tx, tenant, recovery, kind, "a test wants it", detail);
}

async fn message_sent(
    stage: &Stage,
    tenant: Tenant,
    recovery: RecoveryId,
    channel: &str,
    at: DateTime<Utc>,
) {
    let mut tx = begin(stage, at).await;
    let id = tx.new_id::<RecoveryLink>().uuid();
    let (organization, of) = (tenant.organization().uuid(), recovery.uuid());
    let moment = at.to_rfc3339();
    diesel::sql_query(format!(
        "INSERT INTO notifications (id, organization_id, recovery_id, attempt_id, link_id, channel,
                                    address, state, sent_at, created_at, updated_at)
         VALUES ('{id}', '{organization}', '{of}', '{id}', '{id}', '{channel}', 'x', 'sent',
                 '{moment}', '{moment}', '{moment}')"
    ))
    .execute(tx.conn())
    .await
    .unwrap();
    announce(
        &mut tx,
        tenant,
        recovery,
        "message.sent",
        json!({ "channel": channel }),
    );
    tx.commit().await.unwrap();
}

async fn link_opened(
    stage: &Stage,
    tenant: Tenant,
    recovery: RecoveryId,
    rng: &mut StdRng,
    at: DateTime<Utc>,
) -> RecoveryLinkId {
    let mut tx = begin(stage, at).await;
    let id = tx.new_id::<RecoveryLink>();
    let until = at + TimeDelta::days(1);
    let mut hash = [0; 32];
    rng.fill_bytes(&mut hash);
    db::links::add(&mut tx, tenant, id, recovery, None, &hash, "sms", until)
        .await
        .unwrap();
    assert!(db::links::mark_opened(&mut tx, tenant, id).await.unwrap());
    announce(
        &mut tx,
        tenant,
        recovery,
        "link.opened",
        json!({ "channel": "sms" }),
    );
    tx.commit().await.unwrap();
    id
}

async fn recovered(
    stage: &Stage,
    tenant: Tenant,
    recovery: RecoveryId,
    amount: Money,
    link: Option<RecoveryLinkId>,
    at: DateTime<Utc>,
) {
    let mut tx = begin(stage, at).await;
    let by = if link.is_some() {
        RecoveredBy::Link
    } else {
        RecoveredBy::Charge
    };
    let why = "a test wants it";
    db::ending::recovered(&mut tx, tenant, recovery, amount, by, link, why)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

/// Opens one recovery, of 5 dollars, now.
async fn open_one(stage: &Stage, tenant: Tenant) -> RecoveryId {
    let code = "insufficient_funds";
    open(stage, tenant, "order-1", usd(500), code, now()).await
}

async fn given_up(stage: &Stage, tenant: Tenant, recovery: RecoveryId, at: DateTime<Utc>) {
    let mut tx = begin(stage, at).await;
    let end = RecoveryState::Exhausted;
    db::ending::ended(&mut tx, tenant, recovery, end, "a test wants it")
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

async fn owed(stage: &Stage) -> Vec<Envelope> {
    let mut conn = stage.db.read().await.unwrap();
    let left = db::outbox::Left {
        stream: contracts::Stream::Events,
        before: now() + TimeDelta::days(365),
        after: uuid::Uuid::nil(),
        share: 100_000,
        ahead: 100_000,
        limit: 100_000,
    };
    db::outbox::unpublished(&mut conn, &left).await.unwrap()
}

/// As the consumer does; false for a copy.
async fn consume(db: &db::Db, envelope: &Envelope) -> Result<bool, DbError> {
    Ok(consume_together(db, &[envelope]).await? == 1)
}

/// As the consumer does with events that come at once; answers how many were no copies.
async fn consume_together(db: &db::Db, envelopes: &[&Envelope]) -> Result<usize, DbError> {
    let cause = Cause {
        at: now(),
        actor: "test".to_owned(),
        traceparent: None,
        tracestate: None,
    };
    let mut tx = db.begin(cause).await?;
    for tenant in envelopes.iter().map(|it| Tenant::of_envelope(it)) {
        rollups::wait_for_turn(tx.conn(), tenant).await?;
    }
    let ids: Vec<_> = envelopes.iter().map(|it| it.outbox).collect();
    let news = db::outbox::settle_all(tx.conn(), &ids).await?;
    let events: Vec<_> = envelopes
        .iter()
        .filter(|it| news.contains(&it.outbox))
        .map(|it| Event::of(it).unwrap())
        .collect();
    rollups::count(tx.conn(), &events).await?;
    tx.commit().await?;
    Ok(events.len())
}

async fn fold(stage: &Stage) {
    loop {
        let mut tx = stage.tx().await;
        let moved = rollups::fold(&mut tx, 7).await.unwrap();
        tx.commit().await.unwrap();
        if moved == 0 {
            longer_sums_agree(stage).await;
            return;
        }
    }
}

/// The sums of longer stretches are those of the shorter ones that they are made of.
async fn longer_sums_agree(stage: &Stage) {
    let off = scalar(
        stage,
        "SELECT count(*) AS n FROM (
           SELECT r.organization_id, r.dimension, s.minutes AS span_minutes,
                  date_bin(make_interval(mins => s.minutes), r.bucket, 'epoch') AS bucket, r.currency,
                  r.measure, r.key, sum(r.number) AS number, least(sum(r.minor), 9223372036854775807) AS minor
           FROM rollups r
           JOIN (VALUES (60, 240), (1440, 5760), (1440, 23040), (1440, 92160)) AS s (made_of, minutes)
             ON s.made_of = r.span_minutes
           GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING sum(r.number) <> 0 OR sum(r.minor) <> 0) AS a
         FULL JOIN (SELECT * FROM rollups_longer WHERE number <> 0 OR minor <> 0) AS l
           USING (organization_id, dimension, span_minutes, bucket, currency, measure, key)
         WHERE a.number IS DISTINCT FROM l.number OR a.minor IS DISTINCT FROM l.minor",
    )
    .await;
    assert_eq!(off, 0);
}

async fn rebuild(stage: &Stage, tenant: Tenant, days: impl Iterator<Item = NaiveDate>) {
    for day in days {
        let mut tx = stage.tx().await;
        rollups::rebuild(&mut tx, tenant, day).await.unwrap();
        tx.commit().await.unwrap();
    }
}

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::parse("USD").unwrap()).unwrap()
}

async fn opened(stage: &Stage, tenant: Tenant) -> Vec<Sum> {
    let window = Window::new(
        now() - TimeDelta::days(60),
        now() + TimeDelta::days(1),
        chrono_tz::UTC,
    );
    let pieces = window.unwrap().pieces();
    let mut conn = stage.db.read().await.unwrap();
    rollups::sums(&mut conn, tenant, Dimension::All, &pieces, None, None)
        .await
        .unwrap()
}

#[tokio::test]
async fn an_event_delivered_again_counts_once() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    open_one(&stage, tenant).await;
    let events = owed(&stage).await;
    assert_eq!(events.len(), 1);
    assert!(consume(&stage.db, &events[0]).await.unwrap());
    assert!(!consume(&stage.db, &events[0]).await.unwrap());
    fold(&stage).await;
    assert!(!consume(&stage.db, &events[0]).await.unwrap());
    fold(&stage).await;
    let sums = opened(&stage, tenant).await;
    let seen: Vec<_> = sums
        .iter()
        .map(|it| (it.measure, it.number, it.minor))
        .collect();
    assert_eq!(seen, [(Measure::Opened, 1, 500)]);
}

#[tokio::test]
async fn of_consumers_that_race_for_an_event_one_counts_it() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    open_one(&stage, tenant).await;
    let event = owed(&stage).await.remove(0);
    let mut racing = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (db, event) = (stage.db.clone(), event.clone());
        racing.spawn(async move { consume(&db, &event).await.unwrap() });
    }
    let counted = racing.join_all().await.into_iter().filter(|it| *it).count();
    assert_eq!(counted, 1);
    fold(&stage).await;
    assert_eq!(opened(&stage, tenant).await[0].number, 1);
}

#[tokio::test]
async fn what_is_rolled_back_is_not_counted_and_still_owed() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    open_one(&stage, tenant).await;
    let envelope = owed(&stage).await.remove(0);
    let mut tx = stage.tx().await;
    let event = Event::of(&envelope).unwrap();
    let settled = db::outbox::settle_all(tx.conn(), &[event.outbox]).await;
    assert_eq!(settled.unwrap().len(), 1);
    rollups::count(tx.conn(), &[event]).await.unwrap();
    tx.roll_back().await.unwrap();
    fold(&stage).await;
    assert!(rows(&stage).await.is_empty());
    assert!(consume(&stage.db, &envelope).await.unwrap());
    fold(&stage).await;
    assert_eq!(opened(&stage, tenant).await[0].number, 1);
}

#[tokio::test]
async fn adding_up_is_one_processes_at_a_time() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    open_one(&stage, tenant).await;
    consume(&stage.db, &owed(&stage).await[0]).await.unwrap();
    let mut first = stage.tx().await;
    assert!(rollups::fold(&mut first, 10).await.unwrap() > 0);
    let mut second = stage.tx().await;
    assert_eq!(rollups::fold(&mut second, 10).await.unwrap(), 0);
    second.roll_back().await.unwrap();
    first.commit().await.unwrap();
    assert_eq!(opened(&stage, tenant).await[0].number, 1);
}

#[tokio::test]
async fn sums_are_of_one_organization_and_one_currency() {
    let stage = Stage::new().await;
    let (ours, theirs) = (stage.tenant("ours").await, stage.tenant("theirs").await);
    let inr = |minor| Money::new(minor, Currency::parse("INR").unwrap()).unwrap();
    open(
        &stage,
        ours,
        "order-1",
        usd(500),
        "insufficient_funds",
        now(),
    )
    .await;
    open(
        &stage,
        ours,
        "order-2",
        inr(70_000),
        "insufficient_funds",
        now(),
    )
    .await;
    open(
        &stage,
        theirs,
        "order-1",
        usd(9),
        "insufficient_funds",
        now(),
    )
    .await;
    for event in owed(&stage).await {
        consume(&stage.db, &event).await.unwrap();
    }
    fold(&stage).await;
    let seen = |sums: Vec<Sum>| -> Vec<(&str, i64)> {
        sums.iter()
            .map(|it| (it.currency.code(), it.minor))
            .collect()
    };
    assert_eq!(
        seen(opened(&stage, ours).await),
        [("INR", 70_000), ("USD", 500)]
    );
    assert_eq!(seen(opened(&stage, theirs).await), [("USD", 9)]);
}

#[tokio::test]
async fn a_local_day_is_exact_in_zones_of_half_and_quarter_hours() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let day = (now() - TimeDelta::days(10)).date_naive();
    for zone in [
        chrono_tz::Asia::Kolkata,
        chrono_tz::Asia::Kathmandu,
        chrono_tz::America::St_Johns,
    ] {
        let begins = day_begins(day, zone).unwrap();
        let ends = day_begins(day.succ_opt().unwrap(), zone).unwrap();
        let second = TimeDelta::seconds(1);
        for (index, at) in [begins - second, begins, ends - second, ends]
            .into_iter()
            .enumerate()
        {
            let reference = format!("{zone}-{index}").replace('/', "-");
            open(
                &stage,
                tenant,
                &reference,
                usd(100),
                "insufficient_funds",
                at,
            )
            .await;
        }
        for event in owed(&stage).await {
            consume(&stage.db, &event).await.unwrap();
        }
        fold(&stage).await;
        let pieces = Window::new(begins, ends, zone).unwrap().pieces();
        let mut conn = stage.db.read().await.unwrap();
        let sums = rollups::sums(&mut conn, tenant, Dimension::All, &pieces, None, None)
            .await
            .unwrap();
        drop(conn);
        let exact = scalar(
            &stage,
            &format!(
                "SELECT count(*) AS n FROM recoveries WHERE opened_at >= '{}' AND opened_at < '{}'",
                begins.to_rfc3339(),
                ends.to_rfc3339()
            ),
        )
        .await;
        assert_eq!(sums[0].number, exact, "{zone}");
        assert!(exact >= 2, "{zone}");
    }
}

/// A world of recoveries with whatever may happen to them, over twelve days.
async fn histories(stage: &Stage, tenants: &[Tenant], rng: &mut StdRng, count: usize) {
    let begins = now() - TimeDelta::days(12);
    for index in 0..count {
        let tenant = tenants[index % tenants.len()];
        let currency = ["USD", "INR", "JPY"][rng.random_range(0..3)];
        let owed = rng.random_range(1..100_000);
        let money = |minor| Money::new(minor, Currency::parse(currency).unwrap()).unwrap();
        let code = ["insufficient_funds", "expired_card", "made_up"][rng.random_range(0..3)];
        let mut at = begins + TimeDelta::seconds(rng.random_range(0..800_000));
        let reference = format!("order-{}-{index}", rng.next_u64());
        let recovery = open(stage, tenant, &reference, money(owed), code, at).await;
        let mut link = None;
        let mut ended = false;
        for _ in 0..rng.random_range(0..6) {
            at += TimeDelta::seconds(rng.random_range(1..40_000));
            match rng.random_range(0..6) {
                0 | 1 => {
                    let channel = ["email", "sms"][rng.random_range(0..2)];
                    message_sent(stage, tenant, recovery, channel, at).await;
                }
                2 if !ended => link = Some(link_opened(stage, tenant, recovery, rng, at).await),
                3 => {
                    let mut tx = begin(stage, at).await;
                    announce(&mut tx, tenant, recovery, "attempt.declined", json!({}));
                    tx.commit().await.unwrap();
                }
                4 if !ended => {
                    given_up(stage, tenant, recovery, at).await;
                    ended = true;
                }
                5 => {
                    let way = link.filter(|_| !ended);
                    recovered(stage, tenant, recovery, money(owed), way, at).await;
                    break;
                }
                _ => {}
            }
        }
    }
}

#[tokio::test]
async fn after_any_history_the_sums_are_what_the_rows_come_to() {
    for seed in 0..3 {
        let stage = Stage::new().await;
        let tenants = [stage.tenant("one").await, stage.tenant("two").await];
        let mut rng = StdRng::seed_from_u64(seed);
        let today = now().date_naive();
        let days = || (-1..14).map(move |back| today - TimeDelta::days(back));
        histories(&stage, &tenants, &mut rng, 24).await;

        // Consumed in any order, some together, some twice, with a count anew in the middle.
        let mut events = owed(&stage).await;
        events.shuffle(&mut rng);
        let middle = events.len() / 2;
        let mut index = 0;
        while index < events.len() {
            if index == middle {
                rebuild(&stage, tenants[0], days().skip(3).take(4)).await;
            }
            if index == middle + 5 {
                fold(&stage).await;
                histories(&stage, &tenants, &mut rng, 4).await;
            }
            // Alone, or with others that come at the same time.
            let many = rng.random_range(1..6);
            let halt = [middle, middle + 5, events.len()];
            let end = halt
                .into_iter()
                .filter(|halt| *halt > index)
                .fold(index + many, usize::min);
            let these: Vec<&Envelope> = events[index..end].iter().collect();
            let fresh = consume_together(&stage.db, &these).await.unwrap();
            assert_eq!(fresh, these.len());
            if rng.random_bool(0.2) {
                assert!(!consume(&stage.db, these[0]).await.unwrap());
            }
            index = end;
        }
        for event in owed(&stage).await {
            assert!(consume(&stage.db, &event).await.unwrap());
        }
        fold(&stage).await;
        let summed = rows(&stage).await;
        assert!(summed.len() > 200, "{}", summed.len());

        for tenant in tenants {
            rebuild(&stage, tenant, days()).await;
        }
        fold(&stage).await;
        let counted = rows(&stage).await;
        let differing: Vec<_> = summed
            .iter()
            .filter(|line| !counted.contains(line))
            .map(|line| format!("summed {line}"))
            .chain(
                counted
                    .iter()
                    .filter(|line| !summed.contains(line))
                    .map(|line| format!("counted {line}")),
            )
            .collect();
        assert!(differing.is_empty(), "seed {seed}: {differing:#?}");
        recounted(&stage, tenants[0]).await;
    }
}

/// The same once more, by a query for each that shares nothing with the rebuild.
async fn recounted(stage: &Stage, tenant: Tenant) {
    let mut found = BTreeMap::new();
    for sum in opened(stage, tenant).await {
        let (number, minor) = found.entry(sum.measure).or_insert((0, 0));
        *number += sum.number;
        *minor += sum.minor;
    }
    let of = |measure| found.get(&measure).copied().unwrap_or((0, 0));
    let id = tenant.organization().uuid();
    let count = async |from_and_where: &str| {
        let query = format!(
            "SELECT coalesce(sum(1), 0)::bigint AS n FROM {from_and_where} AND organization_id = '{id}'"
        );
        scalar(stage, &query).await
    };
    assert_eq!(of(Measure::Opened).0, count("recoveries WHERE true").await);
    assert_eq!(
        of(Measure::Won).0,
        count("recoveries WHERE state = 'recovered'").await
    );
    assert_eq!(of(Measure::Recovered), of(Measure::Won));
    assert_eq!(
        of(Measure::Ended).0,
        count("recoveries WHERE state = 'exhausted'").await
    );
    assert_eq!(
        of(Measure::Sent).0,
        count("notifications WHERE sent_at IS NOT NULL").await
    );
    assert_eq!(
        of(Measure::Visits).0,
        count("recovery_links WHERE opened_at IS NOT NULL").await
    );
    let distinct = |table: &str, column: &str| {
        format!(
            "SELECT count(DISTINCT recovery_id) AS n FROM {table}
             WHERE {column} IS NOT NULL AND organization_id = '{id}'"
        )
    };
    let contacted = scalar(stage, &distinct("notifications", "sent_at")).await;
    assert_eq!(of(Measure::Contacted).0, contacted);
    let visited = scalar(stage, &distinct("recovery_links", "opened_at")).await;
    assert_eq!(of(Measure::Visited).0, visited);
    let money = format!(
        "SELECT coalesce(sum(recovered_minor), 0)::bigint AS n FROM recoveries
         WHERE organization_id = '{id}'"
    );
    assert_eq!(of(Measure::Recovered).1, scalar(stage, &money).await);
}

#[tokio::test]
async fn counting_anew_while_events_flow_counts_each_once() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let mut rng = StdRng::seed_from_u64(7);
    histories(&stage, &[tenant], &mut rng, 30).await;
    let today = now().date_naive();
    let days = move || (-1..14).map(move |back| today - TimeDelta::days(back));
    let events = owed(&stage).await;
    let consuming = {
        let db = stage.db.clone();
        tokio::spawn(async move {
            for event in events {
                consume(&db, &event).await.unwrap();
            }
        })
    };
    rebuild(&stage, tenant, days()).await;
    consuming.await.unwrap();
    fold(&stage).await;
    let summed = rows(&stage).await;
    rebuild(&stage, tenant, days()).await;
    fold(&stage).await;
    assert_eq!(summed, rows(&stage).await);
    let left = scalar(&stage, "SELECT count(*) AS n FROM rollup_skips").await;
    assert_eq!(left, 0, "skips of settled events are forgotten");
}
