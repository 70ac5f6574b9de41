//! What Falconer signs for others, and knows when it comes back: `key` is what signs, `jws` what was signed. How keys are replaced is in `administer`.

pub(crate) mod jws;
pub(crate) mod key;
