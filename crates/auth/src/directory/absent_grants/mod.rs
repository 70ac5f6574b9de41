//! Grants that are not in memory, and what is known of them all the same: that they have ended, or that the store has none of that id. So whoever goes on using
//! what such a grant gave costs no further look at the store.

pub(crate) mod ended;
pub(crate) mod unknown;
