//! The attacks: a file each. `credentials` are about who signs, `scopes` about what they may, `request` about what was signed, `body` about what came
//! along, `bewit` about signatures in URLs, `session` about what browsers keep, `answers` about what the service says and writes down.

mod answers;
mod bewit;
mod body;
mod credentials;
mod request;
mod scopes;
mod session;

pub(crate) use answers::documents;
pub(crate) use answers::falconer_away::ATTACK as FALCONER_AWAY;

use crate::case::{Case, Tries};

/// One attack.
pub struct Attack {
    /// Such as `other-host`: never changes.
    pub name: &'static str,
    /// What is sent.
    pub sends: &'static str,
    /// What counts as a finding, as a sentence about the service.
    pub finding: &'static str,
    /// What to do about it.
    pub advice: &'static str,
    /// Where more is said, below docs/.
    pub page: &'static str,
    pub(crate) way: AttackKind,
}

/// How an attack is made.
pub(crate) enum AttackKind {
    /// By requests to each route, before the others: one that lets them in is open, and nothing else is said of it.
    First(fn(&Case<'_>) -> Tries),
    /// By requests to each route.
    Route(fn(&Case<'_>) -> Tries),
    /// By requests to the first route that it can be made on: what it ends is over for the others, so that it stands behind all that need it.
    Once(fn(&Case<'_>) -> Tries),
    /// By requests to each route; and what any answer to a refusal says counts too.
    Answers(fn(&Case<'_>) -> Tries),
    /// By requests without credentials to what the service's own description names.
    Listing,
    /// By nothing: what was written to the log files meanwhile is looked at.
    Logs,
    /// It can't be made from where we are: why.
    Outside(&'static str),
}

/// All of them, in the order in which they are made.
pub const ATTACKS: &[&Attack] = &[
    &credentials::no_credentials::ATTACK,
    &credentials::garbage_header::ATTACK,
    &credentials::forged_client_id::ATTACK,
    &credentials::foreign_certificate::ATTACK,
    &credentials::expired_certificate::ATTACK,
    &credentials::large_certificate::ATTACK,
    &credentials::widened_scopes::ATTACK,
    &credentials::narrowed_scopes::ATTACK,
    &scopes::without_scope::ATTACK,
    &scopes::look_alike_scope::ATTACK,
    &scopes::star_identity::ATTACK,
    &scopes::listed_route::ATTACK,
    &scopes::other_spelling::ATTACK,
    &request::replay::ATTACK,
    &request::stale_time::ATTACK,
    &request::other_method::ATTACK,
    &request::other_path::ATTACK,
    &request::other_host::ATTACK,
    &request::forged_host::ATTACK,
    &request::forged_original::ATTACK,
    &request::forged_caller::ATTACK,
    &body::changed_body::ATTACK,
    &body::dropped_body::ATTACK,
    &body::unsigned_body::ATTACK,
    &body::other_content_type::ATTACK,
    &bewit::bewit_for_a_change::ATTACK,
    &bewit::bewit_that_does_not_hold::ATTACK,
    &bewit::bewit_beside_a_header::ATTACK,
    &session::altered_session::ATTACK,
    &session::session_of_elsewhere::ATTACK,
    &session::cross_site_session::ATTACK,
    &session::cookie_attributes::ATTACK,
    &answers::cross_origin::ATTACK,
    &session::ended_session::ATTACK,
    &answers::secrets_in_answers::ATTACK,
    &answers::secrets_in_logs::ATTACK,
    &answers::falconer_away::ATTACK,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_attack_says_all_that_a_reader_needs_under_a_name_of_its_own() {
        let mut names: Vec<&str> = ATTACKS.iter().map(|attack| attack.name).collect();
        for attack in ATTACKS {
            assert!(attack.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", attack.name);
            for text in [attack.sends, attack.finding, attack.advice] {
                assert!(text.len() > 20 && !text.contains('\n'), "{}: {text}", attack.name);
            }
            assert!(attack.page.contains(".md"), "{}", attack.name);
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ATTACKS.len());
    }
}
