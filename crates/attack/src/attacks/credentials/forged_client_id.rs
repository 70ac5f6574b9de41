use falconer_client::AccessToken;

use crate::attacks::{Attack, AttackKind};
use crate::case::{Case, Tries};

pub(crate) const ATTACK: Attack = Attack {
    name: "forged-client-id",
    sends: "a signature under the clientId of somebody else, and one by another key under the right clientId",
    finding: "The service believes a clientId that its caller did not prove.",
    advice: "Decide by scopes that Falconer has verified, never by the `id` of the header: anybody can write one there.",
    page: "backend.md#the-rules",
    way: AttackKind::Route(tries),
};

/// The client that may do everything in a new deployment.
const ROOT: &str = "static/falconer/root";
/// Where the operator is that client.
const SOMEBODY: &str = "falconer-attack/somebody";

fn tries(case: &Case<'_>) -> Tries {
    let honest = case.honest()?;
    let (mut renamed, mut bare, mut guessed) = (honest.clone(), honest.clone(), honest);
    let name = if guessed.id == ROOT { SOMEBODY } else { ROOT };
    name.clone_into(&mut renamed.id);
    name.clone_into(&mut bare.id);
    bare.ext = None;
    guessed.token = AccessToken::new(falconer_client::system::new_id() + "another-key-of-nobody");
    Ok(vec![
        case.signed(format!("with its own certificate under the name {name}"), &renamed),
        case.signed(format!("with its own key under the name {name}"), &bare),
        case.signed("with another key under the right name", &guessed),
    ])
}
