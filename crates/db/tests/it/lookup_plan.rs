//! What it costs to find a recovery among everybody's: a probe of each organization.

use db::lookup::{Sought, find};
use domain::{EmailAddress, TransactionRef};

use crate::claiming_plan::explain;
use crate::lists_plan::{grown, most_read};

/// Rows that a part of the plan may read: there are forty thousand.
const A_FEW: u64 = 200;

#[tokio::test]
async fn a_reference_or_an_address_is_found_in_every_organization_by_its_index() {
    let (stage, tenant) = grown().await;
    let client = stage.database.connect().await;
    let addressed = "UPDATE transactions SET payer_email = transaction_ref || '@Example.com'";
    client.batch_execute(addressed).await.unwrap();
    client
        .batch_execute("VACUUM ANALYZE transactions")
        .await
        .unwrap();
    let reference = TransactionRef::parse("T-5000").unwrap();
    let address = EmailAddress::parse("t-5000@example.com").unwrap();
    for (sought, argument) in [
        (Sought::Reference(reference), "'T-5000'"),
        (Sought::Email(address), "'t-5000@example.com'"),
    ] {
        let mut conn = stage.db.read().await.unwrap();
        let found = find(&mut conn, &sought, None, 20).await.unwrap();
        assert_eq!(found.len(), 4, "one of each organization");
        let own = find(&mut conn, &sought, Some(tenant.organization()), 20);
        let own = own.await.unwrap();
        assert_eq!(own.len(), 1);
        assert_eq!(own[0].tenant, tenant);
        let begins = match sought {
            Sought::Email(_) => "SELECT t.organization_id, o.name%lower",
            _ => "SELECT t.organization_id, o.name%transaction_ref = $1",
        };
        let plan = explain(&mut conn, begins, &format!("{argument}, NULL, 20")).await;
        assert!(most_read(&lines(&plan)) < A_FEW, "{plan}");
    }
}

fn lines(plan: &str) -> Vec<String> {
    plan.lines().map(str::to_owned).collect()
}
