//! How long the certificate at the root URL holds still, with all that it rests on.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

use super::finding::{Finding, within};

/// A certificate that ends sooner is to be looked at: whatever renews it by itself would have done so.
const DAYS: u64 = 14;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Nothing where the root URL is without TLS. That a certificate does not hold at all is said by whoever calls the root URL.
pub async fn look(root_url: &str) -> Option<Finding> {
    root_url.strip_prefix("https://")?;
    let days = match within(days_left(root_url)).await.map_err(anyhow::Error::msg).and_then(|days| days) {
        Ok(days) => days,
        Err(error) => return Some(Finding::look("certificate", format!("{root_url}: {error:#}"), "see `root URL`")),
    };
    Some(match days {
        None => Finding::ok("certificate", format!("that of {root_url} holds for {DAYS} days at least")),
        Some(days) => Finding::look(
            "certificate",
            format!("that of {root_url} ends within {}", if days == 1 { "a day".to_owned() } else { format!("{days} days") }),
            "renew it, or see why what renews it by itself does not: nobody gets through once it has ended",
        ),
    })
}

/// Within how many days it ends, where that is soon.
async fn days_left(root_url: &str) -> anyhow::Result<Option<u64>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let inner = Arc::new(rustls_platform_verifier::Verifier::new(Arc::clone(&provider))?);
    let ends = Arc::new(Ends { inner, days: OnceLock::new() });
    let tls = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let tls = tls.dangerous().with_custom_certificate_verifier(Arc::clone(&ends) as Arc<dyn ServerCertVerifier>).with_no_client_auth();
    let client = reqwest::Client::builder().tls_backend_preconfigured(tls).redirect(reqwest::redirect::Policy::none()).build()?;
    client.get(format!("{}/__lbheartbeat__", root_url.trim_end_matches('/'))).send().await?;
    Ok(ends.days.get().copied().flatten())
}

/// Verifies as another one does, now and for the days to come.
#[derive(Debug)]
struct Ends {
    inner: Arc<dyn ServerCertVerifier>,
    days: OnceLock<Option<u64>>,
}

impl ServerCertVerifier for Ends {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let at = |time| self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, time);
        let verified = at(now)?;
        let is_over = |days: &u64| {
            let then = UnixTime::since_unix_epoch(Duration::from_secs(now.as_secs()) + DAY * u32::try_from(*days).unwrap_or(u32::MAX));
            matches!(at(then), Err(Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. })))
        };
        let _ = self.days.set((1..=DAYS).find(is_over));
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop")]
mod tests {
    use rustls::RootCertStore;
    use rustls::client::WebPkiServerVerifier;
    use rustls::pki_types::pem::PemObject as _;

    use super::*;

    /// 2126-01-01T00:00:00Z, when the certificate of the tests ends.
    const END: u64 = 4_922_899_200;

    #[test]
    fn the_days_that_are_left_are_counted_where_they_are_few() {
        let file =
            |name: &str| CertificateDer::from_pem_file(format!("{}/../login/tests/ldap/tls/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(file("ca.pem")).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        let at = |now: u64| {
            let ends = Ends { inner: Arc::clone(&inner) as Arc<dyn ServerCertVerifier>, days: OnceLock::new() };
            let name = ServerName::try_from("localhost").unwrap();
            let verified =
                ends.verify_server_cert(&file("server.pem"), &[], &name, &[], UnixTime::since_unix_epoch(Duration::from_secs(now)));
            verified.map(|_| ends.days.get().copied().flatten())
        };
        assert_eq!(at(END - 100 * DAY.as_secs()), Ok(None));
        assert_eq!(at(END - DAYS * DAY.as_secs() - 1), Ok(None));
        assert_eq!(at(END - 7 * DAY.as_secs() + 1), Ok(Some(7)));
        assert_eq!(at(END - 1), Ok(Some(1)));
        assert!(at(END + 1).is_err());
    }
}
