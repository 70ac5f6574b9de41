//! The rules file: what is protected, and what each request needs. `file.rs` reads the text, `settings.rs` how the gateway is set up, `pattern.rs` is one path pattern, `target.rs` reads the path of a
//! request strictly, `table.rs` finds the rule of a request, `cases.rs` tries rules without any server. Every mistake is found when the file is read, with
//! its line.

mod cases;
mod file;
mod pattern;
mod problem;
mod rule;
mod settings;
mod table;
mod target;

pub use cases::{Cases, Tried};
pub use file::Rules;
pub use problem::{Problem, Problems};
pub(crate) use rule::CannotAsk;
pub use rule::{Access, Methods, Needs, Rule};
pub use settings::{Dialect, Networks, Place, Session, Settings};
pub use table::{Found, Table};
pub use target::{BadTarget, Target};
