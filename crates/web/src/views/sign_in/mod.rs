//! The pages on which people say who they are: sign-in, set-up and a new password.

mod directory;
mod login;
mod password;
mod setup;

pub(crate) use directory::DirectoryPage;
pub(crate) use login::{LoginPage, ProviderButton};
pub(crate) use password::PasswordPage;
pub(crate) use setup::SetupPage;
