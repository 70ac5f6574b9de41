use crate::attacks::{Attack, Way};

pub(crate) const ATTACK: Attack = Attack {
    name: "falconer-away",
    sends: "nothing: nobody but the operator can take Falconer away from a service",
    finding: "The service lets callers in while it can't ask.",
    advice: "Start the service with a root URL at which nobody listens, and ask it for a route: it has to answer 503.",
    page: "backend.md#any-language-check",
    way: Way::Outside(
        "it can't be tried from outside: start the service with a root URL at which nobody listens, and see that it answers 503",
    ),
};
