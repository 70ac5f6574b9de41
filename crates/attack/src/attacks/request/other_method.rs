use falconer_client::Method;

use crate::attacks::{Attack, AttackKind};
use crate::case::{Case, Tries};

pub(crate) const ATTACK: Attack = Attack {
    name: "other-method",
    sends: "the request of the route, where the signature is of another method",
    finding: "The service does not say to Falconer which method it got: a signature for reading is good for changing.",
    advice: "Give Falconer the method of the request line, and no header that overrides it.",
    page: "backend.md#any-language-check",
    way: AttackKind::Route(tries),
};

fn tries(case: &Case<'_>) -> Tries {
    let honest = case.honest()?;
    let others = [Method::GET, Method::POST].into_iter().filter(|method| *method != case.route.method);
    Ok(others
        .map(|method| {
            let mut signature = honest.clone();
            signature.method = method.to_string();
            case.signed(format!("signed as {method}"), &signature)
        })
        .collect())
}
