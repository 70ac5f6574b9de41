use crate::attacks::{Attack, AttackKind};
use crate::case::{Case, Skip, Tries};

pub(crate) const ATTACK: Attack = Attack {
    name: "star-identity",
    sends: "properly signed requests of callers with `assume:*`, and with a star in place of the name, to a route that is one person's own",
    finding: "The service takes a star for proof of who somebody is: an administrator is everybody.",
    advice: "Compare a scope that names a person as it is written (`isPerson` of the kits), or use `identity`; a star satisfies, and proves nobody.",
    page: "backend.md#who-it-is",
    way: AttackKind::Route(tries),
};

fn tries(case: &Case<'_>) -> Tries {
    if case.route.person.is_none() {
        return Err(Skip::OnlyFor("routes that name a `person`"));
    }
    case.allowed()?;
    Ok(case.callers.stars.iter().map(|star| case.by(&star.how, &star.caller)).collect())
}
