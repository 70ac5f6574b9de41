//! The pages on which people say who they are: sign-in, set-up, a new password, passkeys and recovery codes.

mod directory;
mod email_code;
mod login;
mod passkeys;
mod password;
mod setup;

pub(crate) use directory::DirectoryPage;
pub(crate) use email_code::{EmailAddressPage, EmailCodePage};
pub(crate) use login::{LoginPage, ProviderButton};
#[cfg(test)]
pub(crate) use passkeys::PasskeyOffer;
pub(crate) use passkeys::{
    ContinuePage, OnwardPage, PasskeyForm, PasskeyRow, PasskeysPage, ReauthenticationDonePage, ReauthenticationPage, RecoveryCodesPage,
    RecoveryPage,
};
pub(crate) use password::{ForgottenPage, PasswordPage};
pub(crate) use setup::SetupPage;
