use crate::attacks::{Attack, AttackKind};
use crate::case::{Case, Expected, Tries};

pub(crate) const ATTACK: Attack = Attack {
    name: "replay",
    sends: "the right request twice, byte for byte; a note where doing it twice is harmless",
    finding: "A request that somebody recorded can be made again, and does what it does once more.",
    advice: "The protocol remembers no nonces. Make the operation the same however often it is done, as a PUT to a name that the caller chose, and say `repeatable = true`; or remember what you have seen for half an hour.",
    page: "backend.md#what-a-signature-does-not-say",
    way: AttackKind::Route(tries),
};

fn tries(case: &Case<'_>) -> Tries {
    let honest = case.honest()?;
    let replayed = if case.route.repeatable { Expected::Note } else { Expected::Refuse };
    Ok(vec![
        case.signed("for the first time", &honest).expected(Expected::Prepare),
        case.signed("the same again", &honest).expected(replayed),
    ])
}
