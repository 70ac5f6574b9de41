use falconer_client::AccessToken;

use crate::attacks::{Attack, AttackKind};
use crate::callers::Caller;
use crate::case::{Case, Tries};

pub(crate) const ATTACK: Attack = Attack {
    name: "foreign-certificate",
    sends: "a certificate for the scopes that are needed, signed by a key that is nobody's, in whose name the request is signed properly",
    finding: "The service takes the scopes of a certificate without asking whether its issuer signed it.",
    advice: "Ask Falconer about the whole request; don't read scopes out of `ext`.",
    page: "backend.md#the-rules",
    way: AttackKind::Route(tries),
};

fn tries(case: &Case<'_>) -> Tries {
    let allowed = case.allowed()?;
    let key = AccessToken::new(falconer_client::system::new_id() + "another-key-of-nobody");
    let issued = |issuer: &str| Caller::issued(issuer, &key, &case.callers.scopes, case.now_ms - 60_000, case.now_ms + 600_000);
    Ok(vec![
        case.by("with a certificate of its own making", &issued(&allowed.id)),
        case.by("with a certificate of its own making, in the name of static/falconer/root", &issued("static/falconer/root")),
    ])
}
