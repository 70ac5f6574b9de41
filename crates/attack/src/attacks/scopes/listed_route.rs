use crate::attacks::{Attack, AttackKind};

pub(crate) const ATTACK: Attack = Attack {
    name: "listed-route",
    sends: "GET without credentials to each path of the service's OpenAPI document, with `1` for parameters",
    finding: "A path that the service itself lists, and that the file of routes does not call public, answers whoever asks.",
    advice: "Put the guard on it; or name it in the file of routes with `public = true`, so that somebody has said so.",
    page: "backend.md#the-rules",
    way: AttackKind::Listing,
};
