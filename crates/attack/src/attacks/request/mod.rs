//! What was signed, and what was sent: another time, method, path, host; and headers that say what only a proxy or a gateway may say.

pub(super) mod forged_caller;
pub(super) mod forged_host;
pub(super) mod forged_original;
pub(super) mod other_host;
pub(super) mod other_method;
pub(super) mod other_path;
pub(super) mod replay;
pub(super) mod stale_time;
