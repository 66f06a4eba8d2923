use std::fmt::Display;

use super::*;

/// Every state with those that it may become, as the diagrams at the top of the module show them.
fn moves<S: Copy + Display>(all: &[S], may: impl Fn(S, S) -> bool) -> Vec<String> {
    all.iter()
        .map(|from| {
            let next = all.iter().filter(|to| may(*from, **to));
            let next: Vec<String> = next.map(ToString::to_string).collect();
            format!("{from}: {}", next.join(" "))
        })
        .collect()
}

#[test]
fn a_recovery_ends_once_and_money_that_comes_late_still_counts() {
    assert_eq!(
        moves(RecoveryState::ALL, RecoveryState::can_become),
        [
            "open: recovered exhausted cancelled expired",
            "recovered: ",
            "exhausted: recovered",
            "cancelled: recovered",
            "expired: recovered",
        ]
    );
    let open: Vec<_> = RecoveryState::ALL.iter().filter(|s| s.is_open()).collect();
    assert_eq!(open, [&RecoveryState::Open]);
}

#[test]
fn an_attempt_moves_as_the_diagram_shows() {
    assert_eq!(
        moves(AttemptState::ALL, AttemptState::can_become),
        [
            "scheduled: claimed cancelled",
            "claimed: scheduled succeeded declined in_doubt cancelled",
            "succeeded: ",
            "declined: ",
            "in_doubt: scheduled succeeded declined",
            "cancelled: ",
        ]
    );
}

#[test]
fn what_an_attempt_cannot_leave_is_final_and_nothing_else() {
    for from in AttemptState::ALL {
        let stays = AttemptState::ALL.iter().all(|to| !from.can_become(*to));
        assert_eq!(from.is_final(), stays, "{from}");
    }
}

#[test]
fn a_notification_moves_as_the_diagram_shows() {
    assert_eq!(
        moves(NotificationState::ALL, NotificationState::can_become),
        [
            "queued: handing_over delivered bounced failed withdrawn",
            "handing_over: queued sent delivered bounced failed unconfirmed",
            "sent: delivered bounced failed",
            "delivered: ",
            "bounced: ",
            "failed: ",
            "unconfirmed: sent delivered bounced failed",
            "withdrawn: ",
        ]
    );
}

#[test]
fn a_receipt_tells_only_what_is_news() {
    assert_eq!(
        moves(NotificationState::ALL, NotificationState::may_be_told),
        [
            "queued: delivered bounced",
            "handing_over: delivered bounced failed",
            "sent: delivered bounced failed",
            "delivered: ",
            "bounced: ",
            "failed: ",
            "unconfirmed: sent delivered bounced failed",
            "withdrawn: ",
        ]
    );
}

#[test]
fn a_link_is_live_until_it_is_used_or_has_ended() {
    assert_eq!(
        moves(LinkState::ALL, LinkState::can_become),
        [
            "created: opened used expired revoked",
            "opened: used expired revoked",
            "used: ",
            "expired: ",
            "revoked: ",
        ]
    );
    for state in LinkState::ALL {
        let can_be_used = state.can_become(LinkState::Used);
        assert_eq!(state.is_live(), can_be_used, "{state}");
    }
}

#[test]
fn every_name_reads_back() {
    for state in AttemptState::ALL {
        assert_eq!(state.as_str().parse(), Ok(*state));
    }
    assert!("done".parse::<AttemptState>().is_err());
}

#[test]
fn nothing_leaves_a_final_attempt() {
    for from in AttemptState::ALL.iter().filter(|state| state.is_final()) {
        for to in AttemptState::ALL {
            assert!(!from.can_become(*to), "{from} -> {to}");
        }
    }
}

#[test]
fn a_recovered_recovery_stays_recovered() {
    for to in RecoveryState::ALL {
        assert!(!RecoveryState::Recovered.can_become(*to));
    }
}

#[test]
fn a_receipt_makes_no_move_that_is_none_and_ends_nothing_twice() {
    use NotificationState::{Bounced, Delivered, Failed, Sent, Withdrawn};
    for from in NotificationState::ALL {
        for to in NotificationState::ALL {
            if from.may_be_told(*to) {
                assert!(from.can_become(*to), "{from} -> {to}");
                assert!(!to.may_be_told(*from), "{from} <-> {to}");
            }
        }
    }
    for ended in [Bounced, Delivered, Failed, Withdrawn] {
        for to in [Sent, Delivered, Bounced, Failed] {
            assert!(!ended.may_be_told(to), "{ended} -> {to}");
        }
    }
}

#[test]
fn a_message_handed_over_is_never_withdrawn() {
    assert!(!NotificationState::HandingOver.can_become(NotificationState::Withdrawn));
    assert!(!NotificationState::Unconfirmed.can_become(NotificationState::Queued));
}
