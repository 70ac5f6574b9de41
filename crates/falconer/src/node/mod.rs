//! A node as this program opens it: `data_dir.rs`, `first_start.rs`, `keys.rs` and `noted_history.rs` are files on the disk, `known_by.rs` whose people are known by
//! something else than is configured, `storage.rs` alone names concrete stores, `settings.rs` makes the settings of the use cases of the configuration, `providers.rs` those of identity providers, `warnings.rs` what of them an operator should look at, `open.rs` puts all of it together.

mod data_dir;
mod first_start;
mod keys;
mod known_by;
pub mod noted_history;
mod open;
mod providers;
mod settings;
mod storage;
mod warnings;

pub use data_dir::{
    change_private, note_root_url, noted_root_url, private_folder, readable_by_others, root_credentials_file, write_private,
};
pub use keys::{key_file, read_keys};
pub use known_by::known_by_other;
pub use open::{Access, Node};
pub use providers::providers;
pub use settings::grant_settings;
pub use storage::{Storage, database as database_file, is_file};
pub use warnings::warnings;
