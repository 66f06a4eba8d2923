//! The ledger, faults, and events.

use actix_web::{HttpResponse, web};

use super::refused;
use crate::faults::Rule;
use crate::ledger;
use crate::state::State;
use crate::webhooks::{Disturbance, log};

pub(super) async fn ledger(
    wanted: web::Query<ledger::Wanted>,
    state: web::Data<State>,
) -> HttpResponse {
    HttpResponse::Ok().json(state.ledger.find(&wanted))
}

pub(super) async fn put_fault(rule: web::Json<Rule>, state: web::Data<State>) -> HttpResponse {
    HttpResponse::Ok().json(state.faults.put(rule.into_inner()))
}

pub(super) async fn list_faults(state: web::Data<State>) -> HttpResponse {
    HttpResponse::Ok().json(state.faults.list())
}

pub(super) async fn clear_faults(state: web::Data<State>) -> HttpResponse {
    state.faults.clear();
    HttpResponse::NoContent().finish()
}

pub(super) async fn disturb_webhooks(
    disturbance: web::Json<Disturbance>,
    state: web::Data<State>,
) -> HttpResponse {
    let disturbance = disturbance.into_inner();
    state.webhooks.disturb(disturbance);
    HttpResponse::Ok().json(disturbance)
}

pub(super) async fn calm_webhooks(state: web::Data<State>) -> HttpResponse {
    state.webhooks.calm();
    HttpResponse::NoContent().finish()
}

pub(super) async fn events(
    wanted: web::Query<log::Wanted>,
    state: web::Data<State>,
) -> HttpResponse {
    HttpResponse::Ok().json(state.webhooks.log(&wanted))
}

pub(super) async fn redeliver(id: web::Path<String>, state: web::Data<State>) -> HttpResponse {
    if state.webhooks.redeliver(&id) {
        HttpResponse::Accepted().finish()
    } else {
        refused(404, "there is no such event")
    }
}
