//! Falconer's own command: an application that every server knows without registering it (ADR 296).

use std::sync::Arc;

use falconer_auth::SigningAlgorithm;
use falconer_scopes::ScopeSet;

use crate::applications::application::{Application, ApplicationKind, ApplicationSettings};
use crate::consent::lifetime::LONGEST_MS;

use crate::targets::target::Target;

/// Its `client_id`. No other application of the store has it; one of the configuration takes its place.
pub const COMMAND_LINE: &str = "falconer-command-line";
/// Where its answers go, on whatever port.
const REDIRECT: &str = "http://127.0.0.1/signed-in";

/// `grant.command_line`: how Falconer's own command may ask people for grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandLine {
    /// Not at all.
    Off,
    /// Through a browser on the person's own machine.
    Browser,
    /// Also on machines without one, by the short code of a device.
    BrowserAndDevice,
}

impl CommandLine {
    /// All of them.
    pub const ALL: [CommandLine; 3] = [CommandLine::Off, CommandLine::Browser, CommandLine::BrowserAndDevice];

    /// As the configuration and the metadata write it: `off`, `browser`, `browser-and-device`.
    pub fn as_str(self) -> &'static str {
        match self {
            CommandLine::Off => "off",
            CommandLine::Browser => "browser",
            CommandLine::BrowserAndDevice => "browser-and-device",
        }
    }

    /// The application, where there is one.
    pub(crate) fn application(self) -> Option<Arc<Application>> {
        let device = match self {
            CommandLine::Off => return None,
            CommandLine::Browser => false,
            CommandLine::BrowserAndDevice => true,
        };
        let settings = ApplicationSettings {
            id: COMMAND_LINE.to_owned(),
            name: "Falconer's command line".to_owned(),
            owner: String::new(),
            redirect_uris: vec![REDIRECT.to_owned()],
            // Where it names nothing it asks as a site does that names nothing.
            scopes: Vec::new(),
            max_life_ms: LONGEST_MS,
            kind: ApplicationKind::Public,
            secret_sha256: None,
            device,
            // Any program on the machine could say that it is this one.
            remember_ms: 0,
            skip_consent: false,
            pushed_only: false,
            keys: Vec::new(),
            dpop_bound_access_tokens: false,
            id_token_alg: SigningAlgorithm::default(),
            agent: false,
            backchannel_logout_uri: String::new(),
        };
        let redirects = vec![(REDIRECT.to_owned(), Target::parse(REDIRECT).ok()?)];
        let application = Application {
            settings,
            redirects,
            scopes: ScopeSet::new(["*"]),
            keys: Vec::new(),
            record: None,
            document: None,
            is_command_line: true,
        };
        Some(Arc::new(application))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_goes_to_any_port_of_this_machine_and_nowhere_else() {
        let application = CommandLine::BrowserAndDevice.application().unwrap();
        assert!(application.redirect("http://127.0.0.1:40123/signed-in").is_some());
        for other in [
            "http://localhost:40123/signed-in",
            "http://127.0.0.1:40123/",
            "https://127.0.0.1:40123/signed-in",
            "http://127.0.0.2/signed-in",
        ] {
            assert!(application.redirect(other).is_none(), "{other}");
        }
        assert!(CommandLine::Off.application().is_none());
        assert!(CommandLine::ALL.iter().all(|way| CommandLine::ALL.iter().filter(|other| other.as_str() == way.as_str()).count() == 1));
    }
}
