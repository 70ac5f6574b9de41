//! Roles: one (`role`), all of them (`role_set`), what is refused (`validation`), what scopes come to through them (`expansion`), and the same without the
//! list being made (`applied`), the order in which its members follow one another (`outline`), by which they are put together (`pieces`), and by which of them somebody has a scope (`chain`).

pub(crate) mod applied;
pub(crate) mod chain;
pub(crate) mod expansion;
pub(crate) mod outline;
pub(crate) mod pieces;
pub(crate) mod role;
pub(crate) mod role_set;
pub(crate) mod validation;
