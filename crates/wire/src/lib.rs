//! The wire: the APIs as data, and the shapes that travel over it.
//!
//! Both sides use this crate. `web` builds its routes, checks and answers from the [table](METHODS). The SDK builds its URLs and reads answers with the
//! [shapes]. The protocol's own API is `/api/auth/v1`, which the cases in `vectors/` hold to the reference. Falconer's own is `/api/falconer/v1`, in the same terms.
//!
//! Deliberately absent: behaviour. Nothing here validates a request, decides an authorization, reads a clock or opens a socket. `web` validates. `xtask`
//! generates the reference pages of the documentation from the table.
//!
//! To add a method, add a variant of [`Call`] and an entry in its file under `methods/`. The order of [`METHODS`] and [`FALCONER_METHODS`] is the order of the reference.
//! Add its schemas under `schemas/<service>/v1/` with a line in [`schemas`], and its shapes. The tests of the table say what was forgotten.

mod documents;
pub mod error;
mod methods;
pub mod pattern;
pub mod shapes;
mod table;
mod values;

pub use documents::{examples, openapi, published, schemas};
pub use error::{Code, ErrorBody};
pub use methods::{FALCONER_METHODS, METHODS};
pub use pattern::Pattern;
pub use shapes::*;
pub use table::{Call, Method, PathParam, QueryParam, Segment, Service, Stability, Verb};
pub use values::{continuation, date_time, scope_text, time_expression, urls};
