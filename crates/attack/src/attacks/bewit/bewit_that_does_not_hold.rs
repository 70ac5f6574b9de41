use crate::attacks::{Attack, AttackKind};
use crate::case::{Case, Skip, Tries};

pub(crate) const ATTACK: Attack = Attack {
    name: "wrong-bewit",
    sends: "bewits that are over, of another path, of another host, and nonsense",
    finding: "The service takes a signed URL that does not hold.",
    advice: "Give Falconer path and query as they came, and do what it says.",
    page: "backend.md#any-language-check",
    way: AttackKind::Route(tries),
};

fn tries(case: &Case<'_>) -> Tries {
    if !case.route.only_reads() {
        return Err(Skip::OnlyFor("routes that are read, with GET"));
    }
    let honest = case.honest()?;
    let (mut host, mut path) = (honest.clone(), honest.clone());
    "falconer-attack.example".clone_into(&mut host.host);
    "/falconer-attack".clone_into(&mut path.resource);
    let now = case.now_ms / 1000;
    let separator = if honest.resource.contains('?') { '&' } else { '?' };
    let here = |bewit: &str| format!("{}{separator}bewit={bewit}", honest.resource);
    let elsewhere = path.with_bewit(now + super::LIFETIME);
    let elsewhere = elsewhere.rsplit_once('=').map_or("", |(_, bewit)| bewit);
    Ok(vec![
        case.unsigned("with a bewit that is over since an hour").resource(&honest.with_bewit(now - 3600)),
        case.unsigned("with the bewit of another path").resource(&here(elsewhere)),
        case.unsigned("with a bewit for another host").resource(&host.with_bewit(now + super::LIFETIME)),
        case.unsigned("with a bewit that is nonsense").resource(&here("bm9uc2Vuc2U")),
        case.unsigned("with an empty bewit").resource(&here("")),
    ])
}
