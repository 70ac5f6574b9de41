use crate::attacks::{Attack, AttackKind};
use crate::case::{Case, Skip, Tries};

pub(crate) const ATTACK: Attack = Attack {
    name: "bewit-beside-a-header",
    sends: "a signed URL and a signed header at once, each of which is right",
    finding: "The service takes a request with two signatures, so that it is open whose it is.",
    advice: "Refuse a request that is signed twice; Falconer's check does.",
    page: "backend.md#any-language-check",
    way: AttackKind::Route(tries),
};

fn tries(case: &Case<'_>) -> Tries {
    if !case.route.only_reads() {
        return Err(Skip::OnlyFor("routes that are read, with GET"));
    }
    let mut signature = case.honest()?;
    signature.resource = signature.with_bewit(case.now_ms / 1000 + super::LIFETIME);
    Ok(vec![case.signed("with a header and a bewit", &signature).resource(&signature.resource)])
}
