//! Passkeys and recovery codes: the form that asks for one, a person's page of theirs, signing in again.

use askama::Template;
use falconer_login::RegistrationOffer;
use zeroize::Zeroizing;

use super::ProviderButton;
use crate::views::Layout;

/// The form that has a browser ask for a passkey.
pub(crate) struct PasskeyForm {
    /// Where the answer goes.
    pub action: &'static str,
    /// What its button says.
    pub button: &'static str,
    /// Whether the browser may offer one while a name is typed.
    pub conditional: bool,
    /// The name of the hidden field that keeps foreign forms out, and its value.
    pub token_name: &'static str,
    pub token: String,
    pub next: String,
    pub challenge: String,
    pub ceremony: String,
    pub relying_party: String,
    /// More hidden fields.
    pub kept: Vec<(String, String)>,
}

/// A person's passkeys and recovery codes.
#[derive(Template)]
#[template(path = "passkeys.html")]
pub(crate) struct PasskeysPage {
    pub layout: Layout,
    pub csrf: String,
    pub notice: Option<String>,
    pub error: Option<String>,
    /// `local/ann`
    pub identity: String,
    pub passkeys: Vec<PasskeyRow>,
    pub offer: Option<PasskeyOffer>,
    /// What a new one may be called.
    pub suggested: String,
    /// How many recovery codes are left, in a sentence.
    pub codes: String,
}

pub(crate) struct PasskeyRow {
    pub id: String,
    pub label: String,
    pub created: String,
    /// "used 2 minutes ago", "never used".
    pub used: String,
}

/// [`RegistrationOffer`] as attributes have it: lists with blanks in between.
pub(crate) struct PasskeyOffer {
    pub challenge: String,
    pub ceremony: String,
    pub relying_party: String,
    pub user: String,
    pub name: String,
    pub display_name: String,
    pub exclude: String,
    pub algorithms: String,
}

impl From<RegistrationOffer> for PasskeyOffer {
    fn from(offer: RegistrationOffer) -> PasskeyOffer {
        let algorithms: Vec<String> = offer.algorithms.iter().map(i64::to_string).collect();
        PasskeyOffer {
            challenge: offer.challenge,
            ceremony: offer.ceremony,
            relying_party: offer.relying_party,
            user: offer.user,
            name: offer.name,
            display_name: offer.display_name,
            exclude: offer.exclude.join(" "),
            algorithms: algorithms.join(" "),
        }
    }
}

/// The codes, shown once.
#[derive(Template)]
#[template(path = "recovery_codes.html")]
pub(crate) struct RecoveryCodesPage {
    pub layout: Layout,
    pub codes: Vec<Zeroizing<String>>,
}

/// Sign in with a code.
#[derive(Template)]
#[template(path = "recovery.html")]
pub(crate) struct RecoveryPage {
    pub layout: Layout,
    pub form: String,
    pub next: String,
    pub name: String,
    pub error: Option<String>,
}

/// Sign in again, within a session.
#[derive(Template)]
#[template(path = "reauthentication.html")]
pub(crate) struct ReauthenticationPage {
    pub layout: Layout,
    pub csrf: String,
    pub next: String,
    pub identity: String,
    /// Whether a password is asked for.
    pub password: bool,
    pub passkey: Option<PasskeyForm>,
    pub provider: Option<ProviderButton>,
    /// Hidden fields: those of the form that was under way.
    pub kept: Vec<(String, String)>,
    /// Where somebody goes who does not.
    pub cancel: &'static str,
    pub error: Option<String>,
}

/// The form that was under way, to be sent now.
#[derive(Template)]
#[template(path = "reauthentication_continue.html")]
pub(crate) struct ContinuePage {
    pub layout: Layout,
    pub path: &'static str,
    pub button: &'static str,
    pub fields: Vec<(String, String)>,
    pub cancel: &'static str,
}

/// After a form, on the way to a place that may lead to another site.
#[derive(Template)]
#[template(path = "onward.html")]
pub(crate) struct OnwardPage {
    pub layout: Layout,
    /// One of our own paths.
    pub next: String,
}

/// In the tab that was opened for it.
#[derive(Template)]
#[template(path = "reauthentication_done.html")]
pub(crate) struct ReauthenticationDonePage {
    pub layout: Layout,
}
