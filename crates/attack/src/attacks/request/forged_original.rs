use crate::attacks::{Attack, AttackKind};
use crate::case::{Case, Expected, Tries};

pub(crate) const ATTACK: Attack = Attack {
    name: "forged-original",
    sends: "the route without credentials, with headers that say that something public was asked for; and something public, with headers that name the route",
    finding: "The service, or the gateway in front of it, believes its caller what was asked for.",
    advice: "Let the proxy set what it tells the gateway, in every location, so that a client's own header never arrives; switch off headers that rewrite a path.",
    page: "gateway.md#the-proxy",
    way: AttackKind::Route(tries),
};

fn tries(case: &Case<'_>) -> Tries {
    case.guarded()?;
    let public = case.public;
    let host =
        if [80, 443].contains(&case.place.port) { case.place.host.clone() } else { format!("{}:{}", case.place.host, case.place.port) };
    let original = format!("GET {host} {public}");
    // Beside nginx the gateway wants the host without its port too.
    let of_nginx = format!("{original} {}", case.place.host);
    let url = format!("{}{public}", case.place.origin);
    let headers = [
        ("x-original-request", original.as_str()),
        ("x-original-request", of_nginx.as_str()),
        ("x-original-url", public),
        ("x-original-url", url.as_str()),
        ("x-original-uri", public),
        ("x-rewrite-url", public),
        ("x-forwarded-uri", public),
        ("x-envoy-original-path", public),
        ("x-original-method", "OPTIONS"),
        ("x-forwarded-method", "OPTIONS"),
        ("x-http-method-override", "OPTIONS"),
    ];
    let mut tries: Vec<_> =
        headers.into_iter().map(|(name, value)| case.unsigned(format!("with {name}: {value}")).header(name, value)).collect();
    if case.route.only_reads() {
        for name in ["x-original-url", "x-rewrite-url", "x-forwarded-uri"] {
            let how = format!("as {public}, with {name}: {}", case.route.resource);
            tries.push(case.unsigned(how).resource(public).header(name, &case.route.resource).expected(Expected::SameAnswer));
        }
    }
    Ok(tries)
}
