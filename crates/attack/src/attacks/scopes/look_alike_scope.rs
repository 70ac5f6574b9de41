use crate::attacks::{Attack, AttackKind};
use crate::case::{Case, Tries};

pub(crate) const ATTACK: Attack = Attack {
    name: "look-alike-scope",
    sends: "properly signed requests of callers whose scope is a character shorter or longer than the one that is needed",
    finding: "The service compares scopes by how they begin.",
    advice: "Let Falconer decide: only a star at the end of a scope that somebody has stands for more.",
    page: "scopes.md#scopes",
    way: AttackKind::Route(tries),
};

fn tries(case: &Case<'_>) -> Tries {
    case.allowed()?;
    Ok(case.callers.others.iter().filter(|other| other.look_alike).map(|other| case.by(&other.how, &other.caller)).collect())
}
