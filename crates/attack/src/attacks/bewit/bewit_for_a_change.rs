use crate::attacks::{Attack, AttackKind};
use crate::case::{Case, Skip, Tries};

pub(crate) const ATTACK: Attack = Attack {
    name: "bewit-for-a-change",
    sends: "the request of a route that changes something, with a bewit in its URL, which is for GET",
    finding: "A signed URL, which is made to be handed on, is good for changes.",
    advice: "Give Falconer the method of the request: it takes bewits for GET and HEAD only.",
    page: "backend.md#any-language-check",
    way: AttackKind::Route(tries),
};

fn tries(case: &Case<'_>) -> Tries {
    if case.route.only_reads() {
        return Err(Skip::OnlyFor("routes that change something"));
    }
    let signed = case.honest()?.with_bewit(case.now_ms / 1000 + super::LIFETIME);
    Ok(vec![case.unsigned(format!("as {} with a bewit", case.route.method)).resource(&signed)])
}
