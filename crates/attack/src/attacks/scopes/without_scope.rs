use crate::attacks::{Attack, AttackKind};
use crate::case::{Case, Tries};

pub(crate) const ATTACK: Attack = Attack {
    name: "without-scope",
    sends: "properly signed requests of callers that have no scope, or only those of the other routes",
    finding: "The service verifies who calls, and does not ask whether they may.",
    advice: "Give this route its scope expression: a signature that holds says who it is, and nothing about what they may do.",
    page: "backend.md#the-rules",
    way: AttackKind::Route(tries),
};

fn tries(case: &Case<'_>) -> Tries {
    case.allowed()?;
    Ok(case.callers.others.iter().filter(|other| !other.look_alike).map(|other| case.by(&other.how, &other.caller)).collect())
}
