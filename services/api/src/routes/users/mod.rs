//! The organization's people, for administrators.

pub(crate) mod assign_role;
pub(crate) mod disable;
pub(crate) mod enable;
pub(crate) mod list;
pub(crate) mod rename;

use db::Tenant;
use db::users::{Changed, StoredUser};
use utoipa::OpenApi;

use crate::auth::session::UserView;
use crate::problem::Problem;

#[derive(OpenApi)]
#[openapi(paths(
    list::list,
    disable::disable,
    enable::enable,
    assign_role::assign,
    rename::rename
))]
pub(crate) struct Documented;

/// The person after a change, or why there was none.
fn changed(changed: Changed) -> Result<StoredUser, Problem> {
    match changed {
        Changed::Done(user) => Ok(*user),
        Changed::NotFound => Err(Problem::not_found("user")),
        Changed::LastAdmin => Err(Problem::conflict(
            "role",
            "is that of the last administrator who can log in: make another one first",
        )),
    }
}

/// Longest name of a person, in characters.
const LONGEST_NAME: usize = 128;

/// What is wrong with a name, if anything is.
pub(crate) fn name_fault(name: &str) -> Option<String> {
    if !(1..=LONGEST_NAME).contains(&name.chars().count()) {
        return Some(format!("must have 1 to {LONGEST_NAME} characters"));
    }
    // It goes into mails and onto pages, one line each.
    let is_one_line = !name.chars().any(char::is_control);
    (!is_one_line).then(|| "must be one line".to_owned())
}

fn view(user: &StoredUser, tenant: Tenant) -> UserView {
    UserView::new(user, tenant)
}
