//! An HTTP API that is asked for somebody by their verified address, as the Mozillians directory was: what they are called there, whether somebody
//! vouches for them, and their groups. It signs nobody in. `settings.rs` is what an operator configures, `answer.rs` how the answer is read,
//! `directory.rs` asks.

mod answer;
mod directory;
mod error;
mod settings;

pub use directory::HttpDirectory;
pub use error::HttpDirectoryError;
pub use settings::{AnswerPaths, HttpDirectorySettings, HttpDirectorySettingsError};
