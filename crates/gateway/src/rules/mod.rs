//! The rules file: what is protected, and what each request needs. Every mistake is found when the file is read, and is named with its line.
//!
//! `file.rs` reads the text, and `settings.rs` the settings of the gateway in it. `rule.rs` is one rule, `pattern.rs` its path pattern. `target.rs` reads the path of a
//! request strictly, and `table.rs` finds the rule for it. `cases.rs` tries rules without a server. `problem.rs` is one mistake.

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
