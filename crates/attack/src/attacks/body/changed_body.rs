use crate::attacks::{Attack, AttackKind};
use crate::case::{Case, Tries};

pub(crate) const ATTACK: Attack = Attack {
    name: "changed-body",
    sends: "another body than the one whose hash is signed: the same with a space at its end, so that a service that does not compare takes it",
    finding: "The service does not compare the body with the hash that was signed: whoever stands in between can change it.",
    advice: "Hash the bytes that arrived, before anything parses them, and compare; the kits do, where the guard comes before the parser of bodies.",
    page: "backend.md#the-body",
    way: AttackKind::Route(tries),
};

fn tries(case: &Case<'_>) -> Tries {
    let body = super::of(case)?;
    let honest = case.honest()?;
    let changed = [body.bytes.as_slice(), b" "].concat();
    Ok(vec![case.signed("with a space at the end of the body", &honest).changed(|request| request.body = Some(changed))])
}
