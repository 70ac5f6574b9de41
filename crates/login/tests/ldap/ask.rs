//! Asking a directory as Falconer does.

use std::sync::Arc;
use std::time::Duration;

use falconer_login::ldap::{GroupSettings, LdapError, LdapProvider, LdapSettings, ServiceAccount, UserAttributes};
use falconer_login::{Answer, Attempt, Attributes, Directory as _, IdentityProvider, Keeper, Known, ProviderError, Refreshed, Turn};
use falconer_store::Secret;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::slapd::{SECRET, SERVICE, Slapd};

/// The longest that can be set: a directory answers long before, on whatever machine.
pub const LONGEST: Duration = Duration::from_secs(60);

/// The authority of the tests, and no other one.
pub fn tls() -> rustls::ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ldap/tls/ca.pem");
    for certificate in CertificateDer::pem_file_iter(file).unwrap() {
        roots.add(certificate.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    versions.with_root_certificates(roots).with_no_client_auth()
}

/// People by `uid`, groups by members.
pub fn settings(url: String) -> LdapSettings {
    LdapSettings {
        urls: vec![url],
        start_tls: None,
        insecure: false,
        bind: Some(ServiceAccount { dn: SERVICE.into(), password: Secret::new(SECRET) }),
        base: "ou=people,dc=example,dc=com".into(),
        user_filter: "(uid={name})".into(),
        active_filter: Some("(!(employeeType=gone))".into()),
        lookup_filter: None,
        attributes: UserAttributes::default(),
        groups: GroupSettings {
            base: Some("ou=groups,dc=example,dc=com".into()),
            filter: Some("(|(member={dn})(memberUid={username})(memberUid={email}))".into()),
            ..GroupSettings::default()
        },
        page_size: 30,
        timeout: LONGEST,
        connections: 4,
    }
}

/// The same, with TLS and changed a bit.
pub fn directory(slapd: &Slapd, change: impl FnOnce(&mut LdapSettings)) -> LdapProvider {
    let mut settings = settings(format!("ldaps://localhost:{}", slapd.tls_port));
    change(&mut settings);
    LdapProvider::new(settings, tls()).unwrap()
}

/// A reason that is the directory's own.
fn own<T>(answer: Result<T, ProviderError>) -> Result<T, LdapError> {
    answer.map_err(|error| match error {
        ProviderError::Ldap(error) => error,
        other => panic!("{other:?} is no reason of a directory"),
    })
}

fn known<'a>(subject: &'a str, username: Option<&'a str>, email: Option<&'a str>) -> Known<'a> {
    Known { subject, username, email, handle: None }
}

pub async fn turn(directory: &LdapProvider) -> Result<Turn, LdapError> {
    own(directory.turn().await)
}

pub async fn sign_in(directory: &LdapProvider, name: &str, password: &str) -> Result<Attributes, LdapError> {
    prove(directory, turn(directory).await?, name, password).await
}

pub async fn prove(directory: &LdapProvider, turn: Turn, name: &str, password: &str) -> Result<Attributes, LdapError> {
    let unused = || "n".repeat(43);
    let attempt = Attempt { state: unused(), nonce: unused(), verifier: unused(), redirect_uri: String::new(), reauthenticate: false };
    let answer = Answer::Password { name: name.to_owned(), password: password.to_owned().into() };
    own(directory.finish(turn, &attempt, &answer, 0).await).map(|found| found.attributes)
}

pub async fn refresh(directory: &LdapProvider, subject: &str) -> Result<Option<Attributes>, LdapError> {
    own(directory.refresh(&known(subject, None, None), &NothingToKeep, 0).await).map(|refreshed| match refreshed {
        Refreshed::Still(found) => Some(found.attributes),
        Refreshed::Gone => None,
        _ => panic!("a directory can always be asked"),
    })
}

pub async fn look_up(directory: &LdapProvider, username: Option<&str>, email: Option<&str>) -> Result<Option<Attributes>, LdapError> {
    own(directory.look_up(&known("x", username, email), 0).await)
}

pub async fn probe(directory: &LdapProvider) -> Result<Vec<(&'static str, String)>, LdapError> {
    own(IdentityProvider::probe(directory, 0).await)
}

/// A directory gives nothing that would have to be kept.
struct NothingToKeep;

#[async_trait::async_trait]
impl Keeper for NothingToKeep {
    async fn keep(&self, _: &zeroize::Zeroizing<String>) -> Result<(), ProviderError> {
        panic!("there is nothing to keep")
    }
}
