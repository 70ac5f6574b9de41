use crate::attacks::{Attack, AttackKind};

pub(crate) const ATTACK: Attack = Attack {
    name: "secrets-in-logs",
    sends: "nothing: it looks at what the service wrote to its log files (--log) meanwhile",
    finding: "A log file holds what was secret in a request: whoever reads it can use it.",
    advice: "Keep queries and the Authorization header out of logs; the access log of a proxy holds queries unless its format says otherwise.",
    page: "backend.md#the-rules",
    way: AttackKind::Logs,
};
