use crate::attacks::{Attack, AttackKind};
use crate::case::{Case, Tries};

pub(crate) const ATTACK: Attack = Attack {
    name: "other-content-type",
    sends: "the right body under another Content-Type than the one that is signed with it",
    finding: "The service does not compare the type of the body: the same bytes can be made to mean something else.",
    advice: "Put the Content-Type that arrived into the hash that you compare.",
    page: "backend.md#the-body",
    way: AttackKind::Route(tries),
};

fn tries(case: &Case<'_>) -> Tries {
    let body = super::of(case)?;
    let mut signature = case.honest()?;
    // What arrives is what the service reads; what was signed is the other one.
    let other = if body.content_type.starts_with("text/plain") { "application/json" } else { "text/plain" };
    signature.hash = Some(falconer_client::payload_hash(other, &body.bytes));
    let sent = case.signed(format!("signed as {other}"), &signature);
    Ok(vec![sent, case.signed(format!("sent as {other}"), &case.honest()?).header("content-type", other)])
}
