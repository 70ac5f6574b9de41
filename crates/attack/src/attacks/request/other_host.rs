use crate::attacks::{Attack, AttackKind};
use crate::case::{Case, Tries};

pub(crate) const ATTACK: Attack = Attack {
    name: "other-host",
    sends: "requests that are signed for another host, and for another port",
    finding: "The service takes signatures that were made for somebody else's service.",
    advice: "Give Falconer the host and the port of your own public origin, from your settings.",
    page: "backend.md#your-public-origin",
    way: AttackKind::Route(tries),
};

fn tries(case: &Case<'_>) -> Tries {
    let (mut host, mut port) = (case.honest()?, case.honest()?);
    "falconer-attack.example".clone_into(&mut host.host);
    port.port = if port.port == 443 { 8443 } else { 443 };
    Ok(vec![case.signed("signed for falconer-attack.example", &host), case.signed(format!("signed for port {}", port.port), &port)])
}
