use crate::attacks::{Attack, AttackKind};
use crate::case::{Case, Tries};

pub(crate) const ATTACK: Attack = Attack {
    name: "forged-host",
    sends: "requests that are signed for another host or port, with headers that say that this is it: Host, X-Forwarded-Host, -Port, -Proto, Forwarded",
    finding: "The service believes its caller which host it is, so that whoever gets a signed request can use it here.",
    advice: "Take your public origin from your settings, and neither from the Host header nor from X-Forwarded headers.",
    page: "backend.md#your-public-origin",
    way: AttackKind::Route(tries),
};

const HOST: &str = "falconer-attack.example";

fn tries(case: &Case<'_>) -> Tries {
    let honest = case.honest()?;
    let signed = |port: u16| {
        let mut signature = honest.clone();
        (signature.host, signature.port) = (HOST.to_owned(), port);
        signature
    };
    let mut other_port = honest.clone();
    other_port.port = if honest.port == 4433 { 4434 } else { 4433 };
    let here = |port: u16| format!("{}:{port}", honest.host);
    Ok(vec![
        case.signed(format!("with Host: {HOST}"), &signed(80)).header("host", HOST),
        case.signed(format!("with Host: {HOST}:{}", honest.port), &signed(honest.port)).header("host", &format!("{HOST}:{}", honest.port)),
        case.signed(format!("with Host: {}", here(other_port.port)), &other_port).header("host", &here(other_port.port)),
        case.signed(format!("with X-Forwarded-Host: {HOST}"), &signed(honest.port)).header("x-forwarded-host", HOST),
        case.signed("with X-Forwarded-Host, -Port and -Proto", &signed(443))
            .header("x-forwarded-host", HOST)
            .header("x-forwarded-port", "443")
            .header("x-forwarded-proto", "https"),
        case.signed(format!("with Forwarded: host={HOST};proto=https"), &signed(443))
            .header("forwarded", &format!("host={HOST};proto=https")),
        case.signed(format!("with X-Forwarded-Port: {}", other_port.port), &other_port)
            .header("x-forwarded-port", &other_port.port.to_string()),
    ])
}
