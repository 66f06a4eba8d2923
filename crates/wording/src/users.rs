//! Mails to merchants' people: a code to log in with, or a link. In English.

use domain::{CodePurpose, Role};
use minijinja::context;

use crate::written::SUBJECT;
use crate::{EmailWords, Wording, WordingError, names};

/// Name and source of every template.
pub(crate) const TEMPLATES: [(&str, &str); 10] = [
    (
        "users/layout.html",
        include_str!("../templates/users/layout.html"),
    ),
    (
        "users/login.subject.txt",
        include_str!("../templates/users/login.subject.txt"),
    ),
    (
        "users/login.txt",
        include_str!("../templates/users/login.txt"),
    ),
    (
        "users/login.html",
        include_str!("../templates/users/login.html"),
    ),
    (
        "users/invitation.subject.txt",
        include_str!("../templates/users/invitation.subject.txt"),
    ),
    (
        "users/invitation.txt",
        include_str!("../templates/users/invitation.txt"),
    ),
    (
        "users/invitation.html",
        include_str!("../templates/users/invitation.html"),
    ),
    (
        "users/password_reset.subject.txt",
        include_str!("../templates/users/password_reset.subject.txt"),
    ),
    (
        "users/password_reset.txt",
        include_str!("../templates/users/password_reset.txt"),
    ),
    (
        "users/password_reset.html",
        include_str!("../templates/users/password_reset.html"),
    ),
];

/// What stands in for the name of an organization that looks like an address:
/// whoever registers one could have us mail their link to strangers.
const NAMELESS: &str = "an organization";

/// What a mail to a user is made of.
pub struct UserFacts<'a> {
    /// What it is for.
    pub purpose: CodePurpose,
    /// The code to type, or the link to follow.
    pub secret: &'a str,
    /// The organization, as it calls itself.
    pub organization: &'a str,
    /// The user, as they call themselves.
    pub full_name: Option<&'a str>,
    /// What someone is invited as.
    pub role: Option<Role>,
    /// Who it is from, as people see it.
    pub from_name: &'a str,
}

impl Wording {
    /// Writes a mail to a user.
    pub fn user_mail(&self, facts: &UserFacts<'_>) -> Result<EmailWords, WordingError> {
        let organization = names::person(facts.organization);
        let values = context! {
            code => facts.secret,
            link => facts.secret,
            organization => organization.as_deref().unwrap_or(NAMELESS),
            name => facts.full_name.and_then(names::person),
            role => facts.role.map_or("a user", in_words),
            holds => holds(facts.purpose),
        };
        let fill = |part: &str| -> Result<String, WordingError> {
            let name = format!("users/{}.{part}", facts.purpose);
            Ok(self.template(&name)?.render(&values)?)
        };
        Ok(EmailWords {
            from_name: names::one_line(facts.from_name, SUBJECT),
            // Header text: whatever the template does, it is one line.
            subject: names::one_line(&fill("subject.txt")?, SUBJECT),
            text: fill("txt")?,
            html: fill("html")?,
        })
    }
}

const fn in_words(role: Role) -> &'static str {
    match role {
        Role::Analyst => "an analyst",
        Role::Operator => "an operator",
        Role::Admin => "an administrator",
    }
}

const fn holds(purpose: CodePurpose) -> &'static str {
    match purpose {
        CodePurpose::Login => "ten minutes",
        CodePurpose::PasswordReset => "one hour",
        CodePurpose::Invitation => "seven days",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(purpose: CodePurpose) -> UserFacts<'static> {
        UserFacts {
            purpose,
            secret: if purpose.is_link() {
                "https://console.example.com/page?token=a-b_c"
            } else {
                "012345"
            },
            organization: "Chai & <b>Sons</b>",
            full_name: Some("Asha Rao"),
            role: (purpose == CodePurpose::Invitation).then_some(Role::Operator),
            from_name: "Tinko",
        }
    }

    #[test]
    fn every_mail_holds_its_code_or_link_in_both_forms() {
        let wording = Wording::new().unwrap();
        for purpose in CodePurpose::ALL {
            let facts = facts(*purpose);
            let words = wording.user_mail(&facts).unwrap();
            let shown = format!(
                "{}\n---\n{}\n---\n{}",
                words.subject, words.text, words.html
            );
            insta::assert_snapshot!(format!("mail_to_a_user_{purpose}"), shown);
            assert!(words.text.contains(facts.secret));
            assert!(!words.subject.contains(facts.secret));
            assert!(!words.html.contains("<b>Sons"), "{}", words.html);
        }
    }

    #[test]
    fn what_a_mail_says_of_how_long_it_holds_is_true() {
        let minutes = |purpose: CodePurpose| purpose.life().as_secs() / 60;
        assert_eq!(minutes(CodePurpose::Login), 10);
        assert_eq!(minutes(CodePurpose::PasswordReset), 60);
        assert_eq!(minutes(CodePurpose::Invitation), 7 * 24 * 60);
    }

    #[test]
    fn nobody_gets_an_address_of_theirs_into_a_mail_by_a_name() {
        let wording = Wording::new().unwrap();
        let words = wording.user_mail(&UserFacts {
            organization: "Win now: evil.example/prize",
            full_name: Some("see evil.example"),
            ..facts(CodePurpose::Invitation)
        });
        let words = words.unwrap();
        for text in [words.subject, words.text, words.html] {
            assert!(!text.contains("evil.example"), "{text}");
        }
    }
}
