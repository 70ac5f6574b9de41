//! What applications ask for: parameters and resources as OAuth 2 writes them, what Falconer's own command says beside, the request of a grant, one that was pushed, and why
//! there is none.

pub(crate) mod authorization;
pub(crate) mod command_line;
pub(crate) mod parameters;
pub(crate) mod pushed;
pub(crate) mod refusal;
pub(crate) mod resources;
