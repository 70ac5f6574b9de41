//! What surrounds each request, whichever route answers it: the limits on its head, the id and the log line, the headers of its answer, our
//! cookies, the public origin and who may post from where, and errors as pages or JSON.

pub(crate) mod arriving;
pub(crate) mod cookie;
pub(crate) mod guard;
pub(crate) mod headers;
pub(crate) mod log;
pub(crate) mod only;
pub(crate) mod problem;
pub(crate) mod public_origin;
pub(crate) mod same_origin;
pub(crate) mod warnings;
