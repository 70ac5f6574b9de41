use crate::attacks::{Attack, AttackKind};
use crate::case::{Case, Tries};

pub(crate) const ATTACK: Attack = Attack {
    name: "no-credentials",
    sends: "the request of the route, without an Authorization header",
    finding: "The service answers the route to whoever asks.",
    advice: "Put the guard on this route, or write a rule for it; what everybody may do is `public = true` in the file of routes.",
    page: "backend.md#the-rules",
    way: AttackKind::First(tries),
};

fn tries(case: &Case<'_>) -> Tries {
    case.guarded()?;
    Ok(vec![case.unsigned("without an Authorization header")])
}
