use crate::attacks::{Attack, AttackKind};
use crate::case::{Case, Tries};

pub(crate) const ATTACK: Attack = Attack {
    name: "dropped-body",
    sends: "no body, where the hash of one is signed; and `{}` in its place",
    finding: "The service does not miss a body that was signed.",
    advice: "Compare the hash where no body arrived, too: then it is the hash of nothing.",
    page: "backend.md#the-body",
    way: AttackKind::Route(tries),
};

fn tries(case: &Case<'_>) -> Tries {
    let body = super::of(case)?;
    let honest = case.honest()?;
    let mut tries = vec![case.signed("without the body", &honest).changed(|request| request.body = None)];
    if body.bytes != b"{}" {
        tries.push(case.signed("with {} in place of the body", &honest).changed(|request| request.body = Some(b"{}".to_vec())));
    }
    Ok(tries)
}
