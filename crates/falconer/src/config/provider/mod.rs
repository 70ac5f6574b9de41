//! `[[provider]]`: where people sign in besides local accounts. Everything that can be said of one without asking it is an error of reading the file, so
//! that it names the line. A file a kind; `section.rs` is what kinds have in common.

mod email_code;
mod github;
mod http_directory;
mod ldap;
mod oidc;
mod path;
mod scim;
mod section;

use serde::Deserialize;

pub use email_code::EmailCodeSection;
pub use github::GithubSection;
pub use http_directory::HttpDirectorySection;
pub use ldap::LdapSection;
pub use oidc::OidcSection;
pub use scim::{ScimSection, check_token};
pub use section::Common;

/// One provider, by its kind.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Provider {
    /// OpenID Connect.
    Oidc(OidcSection),
    /// GitHub, or an Enterprise server.
    Github(GithubSection),
    /// Codes by mail.
    EmailCode(EmailCodeSection),
    /// An HTTP API that adds to what others say.
    HttpDirectory(HttpDirectorySection),
    /// A directory of people and groups.
    Ldap(LdapSection),
}

impl Provider {
    /// What several kinds have.
    fn common(&self) -> &Common {
        match self {
            Provider::Oidc(oidc) => oidc.common(),
            Provider::Github(github) => github.common(),
            Provider::EmailCode(mail) => mail.common(),
            Provider::HttpDirectory(directory) => directory.common(),
            Provider::Ldap(ldap) => ldap.common(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.common().name
    }

    /// What the button says.
    pub fn label(&self) -> &str {
        self.common().label()
    }

    /// How often people are asked about without them, in milliseconds; `None`: only when they sign in.
    pub fn refresh_ms(&self) -> Option<i64> {
        // INVARIANT: it was checked when the section was read.
        self.common().refresh_ms().unwrap_or_default()
    }

    /// What the directory behind it may push.
    pub fn scim(&self) -> Option<&ScimSection> {
        self.common().scim.as_ref()
    }

    /// Its kind, as it is written.
    pub fn kind(&self) -> &'static str {
        match self {
            Provider::Oidc(_) => "oidc",
            Provider::Github(_) => "github",
            Provider::EmailCode(_) => "email_code",
            Provider::HttpDirectory(_) => "http_directory",
            Provider::Ldap(_) => "ldap",
        }
    }
}

/// Sections as tests write them.
#[cfg(test)]
mod examples {
    use crate::config::Config;

    pub(super) fn read(text: &str) -> Result<Config, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Config::read(Some(file.path()), std::iter::empty()).map_err(|error| format!("{error:#}"))
    }

    /// Each line beside a section that is fine is told with where it is.
    pub(super) fn assert_told(fine: &str, lines: &[(&str, &str)]) {
        read(fine).unwrap();
        for (line, said) in lines {
            let error = read(&format!("{fine}{line}\n")).unwrap_err();
            assert!(error.contains(said) && error.contains("line 2"), "{line}: {error}");
        }
    }

    /// The same of what is written instead.
    pub(super) fn assert_told_instead(fine: &str, changes: &[(&str, &str, &str)]) {
        for (from, to, said) in changes {
            assert!(fine.contains(from), "{from}");
            let error = read(&fine.replace(from, to)).unwrap_err();
            assert!(error.contains(said) && error.contains("at line "), "{to}: {error}");
        }
    }
}
