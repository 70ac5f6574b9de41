use crate::attacks::{Attack, AttackKind};
use crate::callers::Caller;
use crate::case::{Case, Tries};

pub(crate) const ATTACK: Attack = Attack {
    name: "narrowed-scopes",
    sends: "the credentials of a caller that may, restricted to nothing by `ext.authorizedScopes`",
    finding: "The service ignores what a caller restricted its own request to, so that a service that acts for others can be used for more than they may.",
    advice: "Ask Falconer about the request with its whole `ext`; an answer that is kept belongs to that one header.",
    page: "services.md",
    way: AttackKind::Route(tries),
};

fn tries(case: &Case<'_>) -> Tries {
    let narrowed = Caller { authorized: Some(Vec::new()), ..case.allowed()?.clone() };
    Ok(vec![case.by("restricted to no scope at all", &Ok(narrowed))])
}
