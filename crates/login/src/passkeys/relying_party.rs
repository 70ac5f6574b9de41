//! Whom passkeys are made for: this server, by its host name.

use url::{Host, Url};

/// The relying party (Web Authentication, section 5.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelyingParty {
    /// The host name: passkeys work for it alone, on any port.
    pub id: String,
    /// `https://auth.example.com`, as browsers write it.
    pub origin: String,
}

impl RelyingParty {
    /// That of a public origin. `None`: browsers make passkeys for names only, not for addresses, and only where the connection is safe.
    pub fn of_origin(origin: &str) -> Option<RelyingParty> {
        let url = Url::parse(origin).ok()?;
        let Host::Domain(host) = url.host()? else { return None };
        let safe = url.scheme() == "https" || host == "localhost" || host.ends_with(".localhost");
        safe.then(|| RelyingParty { id: host.to_owned(), origin: url.origin().ascii_serialization() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_have_passkeys() {
        let of = |origin| RelyingParty::of_origin(origin).map(|party| (party.id, party.origin));
        let expected = |id: &str, origin: &str| Some((id.to_owned(), origin.to_owned()));
        assert_eq!(of("https://Auth.example.com:443/"), expected("auth.example.com", "https://auth.example.com"));
        assert_eq!(of("https://auth.example.com:8443"), expected("auth.example.com", "https://auth.example.com:8443"));
        assert_eq!(of("http://localhost:8080"), expected("localhost", "http://localhost:8080"));
        for none in ["http://127.0.0.1:8080", "https://[::1]", "http://auth.example.com", "auth.example.com", ""] {
            assert_eq!(of(none), None, "{none}");
        }
    }
}
