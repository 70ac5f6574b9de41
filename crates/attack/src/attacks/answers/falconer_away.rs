use crate::attacks::{Attack, AttackKind};

pub(crate) const ATTACK: Attack = Attack {
    name: "falconer-away",
    sends: "with --falconer-away, and nothing else then: the right request, and one without credentials, to a service that was started with a root URL at which nobody listens",
    finding: "The service lets callers in while it can't ask.",
    advice: "Answer 503 where Falconer does not answer, or answers nonsense; never take no answer for yes.",
    page: "backend.md#any-language-check",
    way: AttackKind::Outside(
        "it can't be tried while the service reaches Falconer: start it with a root URL at which nobody listens, and give --falconer-away",
    ),
};
