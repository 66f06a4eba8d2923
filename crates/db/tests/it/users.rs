//! People, their sessions and their tries.

use chrono::TimeDelta;
use db::sessions::{self, Method, NewSession, Refreshed};
use db::users::{self, NewUser};
use db::{Tenant, login_tries};
use domain::Role;
use domain::id::UserId;

use crate::stage::{Stage, now};

async fn person(stage: &Stage, tenant: Tenant, email: &str) -> UserId {
    let mut tx = stage.tx().await;
    let new = NewUser {
        email,
        full_name: None,
        role: Role::Analyst,
        password_hash: None,
    };
    let user = users::add(&mut tx, tenant, &new).await.unwrap();
    tx.commit().await.unwrap();
    user.unwrap().id
}

#[tokio::test]
async fn an_organization_has_one_person_of_an_address() {
    let stage = Stage::new().await;
    let (owner, other) = (stage.tenant("owner").await, stage.tenant("other").await);
    let id = person(&stage, owner, "asha@example.com").await;
    person(&stage, other, "asha@example.com").await;
    let mut tx = stage.tx().await;
    let again = NewUser {
        email: "asha@example.com",
        full_name: None,
        role: Role::Admin,
        password_hash: None,
    };
    assert!(users::add(&mut tx, owner, &again).await.unwrap().is_none());
    assert!(users::find(tx.conn(), other, id).await.unwrap().is_none());
    let listed = users::list(tx.conn(), owner, None, 10).await.unwrap();
    assert_eq!(listed.iter().map(|user| user.id).collect::<Vec<_>>(), [id]);
    assert!(
        users::list(tx.conn(), owner, Some(id), 10)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn sessions_long_over_are_forgotten_with_their_tokens() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let user = person(&stage, tenant, "asha@example.com").await;
    let mut tx = stage.tx().await;
    let expires_at = tx.now() + TimeDelta::days(1);
    let new = NewSession {
        user,
        method: Method::Password,
        user_agent: None,
        address: None,
        expires_at,
        token_hash: &[1; 32],
    };
    sessions::begin(&mut tx, tenant, &new).await.unwrap();
    let renewed = sessions::refresh(&mut tx, &[1; 32], &[2; 32], expires_at).await;
    assert!(matches!(renewed.unwrap(), Refreshed::Renewed(held) if held.user == user));
    tx.commit().await.unwrap();
    let mut conn = stage.db.read().await.unwrap();
    assert_eq!(
        sessions::forget(&mut conn, expires_at, 10).await.unwrap(),
        0
    );
    let later = expires_at + TimeDelta::seconds(1);
    assert_eq!(sessions::forget(&mut conn, later, 10).await.unwrap(), 1);
    drop(conn);
    assert_eq!(stage.count("refresh_tokens").await, 0);
}

#[tokio::test]
async fn tries_made_at_the_same_time_all_count_and_old_ones_do_not() {
    let stage = Stage::new().await;
    let (account, address) = ([1; 32], [2; 32]);
    let at = now();
    let window = TimeDelta::minutes(15);
    let tries = (0..8).map(|place| {
        let db = stage.db.clone();
        async move {
            let mut conn = db.read().await.unwrap();
            // In either order: they must not wait for each other in a circle.
            let subjects = if place % 2 == 0 {
                [account, address]
            } else {
                [address, account]
            };
            login_tries::count(&mut conn, subjects, at, window)
                .await
                .unwrap()
        }
    });
    let made = futures_util::future::join_all(tries).await;
    let most = made.iter().flatten().max();
    assert_eq!(most, Some(&8));
    let mut conn = stage.db.read().await.unwrap();
    login_tries::succeeded(&mut conn, account, address)
        .await
        .unwrap();
    let next = login_tries::count(&mut conn, [account, address], at, window).await;
    assert_eq!(next.unwrap(), [1, 8]);
    let later = at + window;
    let next = login_tries::count(&mut conn, [account, address], later, window).await;
    assert_eq!(next.unwrap(), [1, 1]);
    assert_eq!(login_tries::forget(&mut conn, at, 10).await.unwrap(), 0);
    let after = later + TimeDelta::seconds(1);
    assert_eq!(login_tries::forget(&mut conn, after, 10).await.unwrap(), 2);
}
