use crate::attacks::{Attack, AttackKind};
use crate::case::{Case, Tries};

pub(crate) const ATTACK: Attack = Attack {
    name: "other-path",
    sends: "the request of the route, where the signature is of another path or another query",
    finding: "The service does not say to Falconer which path and query it got.",
    advice: "Give Falconer the target of the request line as it came: not decoded, with its query, with what a proxy or a router took off.",
    page: "backend.md#any-language-check",
    way: AttackKind::Route(tries),
};

fn tries(case: &Case<'_>) -> Tries {
    let honest = case.honest()?;
    let resource = &case.route.resource;
    let separator = if resource.contains('?') { '&' } else { '?' };
    let more = format!("{resource}{separator}falconer-attack=1");
    let signed = |of: &str| {
        let mut signature = honest.clone();
        of.clone_into(&mut signature.resource);
        signature
    };
    let mut tries = vec![
        case.signed("signed for another path", &signed("/falconer-attack")),
        case.signed("signed with a query that is not there", &signed(&more)),
        case.signed("signed without the query that is there", &honest).resource(&more),
    ];
    if resource.contains('?') {
        tries.push(case.signed("signed for the path without its query", &signed(case.route.path())));
    }
    Ok(tries)
}
