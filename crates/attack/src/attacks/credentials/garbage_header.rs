use crate::attacks::{Attack, AttackKind};
use crate::case::{Case, Tries};

pub(crate) const ATTACK: Attack = Attack {
    name: "garbage-header",
    sends: "Authorization headers that are no signature: other schemes, missing parts, nonsense",
    finding: "The service lets somebody in, or fails, for an Authorization header that says nothing.",
    advice: "Hand the header to Falconer as it came, whatever it is, and let in only what it says `allowed` to; never look for a word in it.",
    page: "backend.md#the-rules",
    way: AttackKind::Route(tries),
};

const HEADERS: &[&str] = &[
    "",
    "garbage",
    "Hawk",
    "Hawk id=\"static/falconer/root\"",
    "Hawk id=\"a\", ts=\"1\", nonce=\"n\", mac=\"\"",
    "Hawk id=\"a\", id=\"b\", ts=\"1e999\", nonce=\"n\", mac=\"x\", ext=\"bm90IGpzb24=\"",
    "Bearer null",
    "Basic YWRtaW46YWRtaW4=",
];

fn tries(case: &Case<'_>) -> Tries {
    case.guarded()?;
    Ok(HEADERS.iter().map(|header| case.unsigned(format!("with `Authorization: {header}`")).header("authorization", header)).collect())
}
