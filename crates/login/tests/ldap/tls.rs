//! TLS: certificates that do not hold, and what is sent before it.

use falconer_login::ldap::LdapError;

use crate::ask::{directory, probe, sign_in};
use crate::slapd::Slapd;

#[tokio::test]
#[ignore = "needs slapd"]
async fn starttls() {
    let slapd = Slapd::start();
    for host in ["localhost", "127.0.0.1"] {
        let directory = directory(&slapd, |settings| settings.urls = vec![format!("ldap://{host}:{}", slapd.plain_port)]);
        assert!(sign_in(&directory, "ann", "password of ann").await.is_ok());
        assert!(probe(&directory).await.unwrap().contains(&("protected by", "STARTTLS".to_owned())));
    }
    assert!(!slapd.said("TLS established").is_empty());
    let plain = directory(&slapd, |settings| {
        settings.urls = vec![format!("ldap://127.0.0.1:{}", slapd.plain_port)];
        settings.start_tls = Some(false);
    });
    assert!(sign_in(&plain, "ann", "password of ann").await.is_ok());
}

/// Nothing is sent to a server that can't prove who it is.
#[tokio::test]
#[ignore = "needs slapd"]
async fn certificates_that_do_not_hold() {
    for certificate in ["elsewhere", "foreign", "ended"] {
        let slapd = Slapd::with_certificate(certificate);
        for url in [format!("ldaps://localhost:{}", slapd.tls_port), format!("ldap://localhost:{}", slapd.plain_port)] {
            let directory = directory(&slapd, |settings| settings.urls = vec![url.clone()]);
            let found = sign_in(&directory, "ann", "password of ann").await;
            assert!(matches!(found, Err(LdapError::Tls(_))), "{certificate} {url}: {found:?}");
        }
        assert!(slapd.said("BIND dn=\"cn=falconer").is_empty());
    }
}
