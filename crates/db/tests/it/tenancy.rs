//! Every row says whose it is.

use crate::stage::Stage;

/// Tables that are not about any organization's data, or are the organizations:
/// `shared_suppressions` and `obeyed_replies` are about the installation's senders,
/// `login_tries` about whoever tries, before it is known to be anybody; `holds` names
/// an organization or means all of them.
const APART: &str = "('organizations', 'partitioned_tables', '__diesel_schema_migrations',
                      'shared_suppressions', 'obeyed_replies', 'login_tries',
                      'retired_partitions', 'holds')";

#[tokio::test]
async fn every_tenant_table_names_its_organization_and_never_leaves_it_out() {
    let stage = Stage::new().await;
    let client = stage.database.connect().await;
    let without = client
        .query(
            &format!(
                "SELECT t.table_name FROM information_schema.tables t
                 WHERE t.table_schema = 'public' AND t.table_type = 'BASE TABLE'
                   AND t.table_name NOT IN {APART}
                   AND NOT EXISTS (
                     SELECT 1 FROM information_schema.columns c
                     WHERE c.table_schema = t.table_schema AND c.table_name = t.table_name
                       AND c.column_name = 'organization_id' AND c.is_nullable = 'NO')"
            ),
            &[],
        )
        .await
        .unwrap();
    let without: Vec<String> = without.iter().map(|row| row.get(0)).collect();
    assert_eq!(without, Vec::<String>::new());
    let walked = format!(
        "information_schema.tables WHERE table_schema = 'public' AND table_name NOT IN {APART}"
    );
    assert!(stage.count(&walked).await > 20);
}

#[tokio::test]
async fn another_organizations_recovery_is_not_found() {
    let stage = Stage::new().await;
    let (owner, other) = (stage.tenant("owner").await, stage.tenant("other").await);
    let (transaction, recovery) = stage.recovery(owner, "order-1").await;
    let mut conn = stage.db.read().await.unwrap();
    let found = db::recoveries::find(&mut conn, owner, recovery).await;
    assert!(found.unwrap().is_some());
    let found = db::recoveries::find(&mut conn, other, recovery).await;
    assert!(found.unwrap().is_none());
    let found = db::transactions::find(&conn, other, transaction).await;
    assert!(found.unwrap().is_none());
    let listed = {
        let wanted = db::recoveries::Wanted::all(db::recoveries::Order::Newest(None), 10);
        db::recoveries::list(&mut conn, other, &wanted).await
    };
    assert!(listed.unwrap().is_empty());
}
