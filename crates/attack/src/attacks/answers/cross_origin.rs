use crate::attacks::{Attack, AttackKind};
use crate::case::{Case, Expected, Tries};
use falconer_client::Method;

pub(crate) const ATTACK: Attack = Attack {
    name: "cross-origin",
    sends: "the route, and the question that a browser asks before it, as from a page of https://falconer-attack.example, and of no origin",
    finding: "Pages of any origin may use the browser's own credentials for the service, and read the answers.",
    advice: "Allow other origins without Access-Control-Allow-Credentials: signed calls need no cookies. Behind a session, name the origins that may.",
    page: "backend.md#pages-of-other-origins",
    way: AttackKind::Route(tries),
};

fn tries(case: &Case<'_>) -> Tries {
    let mut tries = Vec::new();
    for origin in ["https://falconer-attack.example", "null"] {
        tries.push(case.unsigned(format!("from a page of the origin {origin}")).header("origin", origin).expected(Expected::Cors));
        let preflight = case.unsigned(format!("asked beforehand by a page of the origin {origin}")).header("origin", origin);
        let preflight = preflight
            .header("access-control-request-method", case.route.method.as_str())
            .header("access-control-request-headers", "authorization");
        tries.push(preflight.expected(Expected::Cors).changed(|request| {
            request.method = Method::OPTIONS;
            request.body = None;
        }));
    }
    Ok(tries)
}
