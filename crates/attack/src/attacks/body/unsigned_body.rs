use crate::attacks::{Attack, AttackKind};
use crate::case::{Case, Expected, Tries};

pub(crate) const ATTACK: Attack = Attack {
    name: "unsigned-body",
    sends: "the right request with its body, whose hash is not signed; a note where it is taken",
    finding: "The service takes bodies that nobody signed.",
    advice: "Some published clients sign no bodies. Where yours do, require it (`payloadHashRequired` of the kits).",
    page: "backend.md#the-body",
    way: AttackKind::Route(tries),
};

fn tries(case: &Case<'_>) -> Tries {
    super::of(case)?;
    let mut signature = case.honest()?;
    signature.hash = None;
    Ok(vec![case.signed("without a hash of the body", &signature).expected(Expected::Note)])
}
