//! How a request shows a token (RFC 6750 section 2.1, RFC 9449 section 7.1).

use falconer_credentials::UrlScheme;

/// By which scheme a token stands in the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenScheme {
    /// It counts for whoever has it.
    Bearer,
    /// It is bound to a key, and a proof goes with it.
    Dpop,
}

/// A request that shows a token, with all that a proof covers.
#[derive(Clone, Copy, Debug)]
pub struct ShownToken<'r> {
    /// By which scheme.
    pub scheme: TokenScheme,
    /// The token itself.
    pub token: &'r str,
    /// The header `DPoP`; `None`: there was none.
    pub proof: Option<&'r str>,
    /// What an answer about this request had in place of it.
    pub follow_up: Option<&'r str>,
    /// Of the request.
    pub method: &'r str,
    /// By what the service is reached from outside.
    pub url_scheme: UrlScheme,
    /// The host that the service was reached as.
    pub host: &'r str,
    /// And its port.
    pub port: u16,
    /// Path and query, as on the request line.
    pub resource: &'r str,
}

impl<'r> ShownToken<'r> {
    /// A token that is shown as one of no key, by a request of which nothing else matters then.
    pub fn bearer(token: &'r str) -> ShownToken<'r> {
        let (method, url_scheme, host, resource) = ("", UrlScheme::Https, "", "");
        ShownToken { scheme: TokenScheme::Bearer, token, proof: None, follow_up: None, method, url_scheme, host, port: 0, resource }
    }
}

impl TokenScheme {
    /// `Bearer` or `DPoP`.
    pub fn as_str(self) -> &'static str {
        match self {
            TokenScheme::Bearer => "Bearer",
            TokenScheme::Dpop => "DPoP",
        }
    }

    /// What stands behind the scheme in a header; `None`: the header is of another scheme.
    pub fn token_of(authorization: Option<&str>) -> Option<(TokenScheme, &str)> {
        let text = authorization?;
        // Each request of a service comes by here, and hardly any header is one of these: nothing is looked for in it.
        [TokenScheme::Bearer, TokenScheme::Dpop].into_iter().find_map(|scheme| {
            let (written, rest) = text.split_at_checked(scheme.as_str().len())?;
            let token = rest.strip_prefix(' ').filter(|_| written.eq_ignore_ascii_case(scheme.as_str()))?;
            Some((scheme, token.trim_matches(' ')))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_of_another_scheme_has_no_token() {
        let token_of = |header: &'static str| TokenScheme::token_of(Some(header));
        assert_eq!(token_of("Bearer x"), Some((TokenScheme::Bearer, "x")));
        assert_eq!(token_of("bEARER  x "), Some((TokenScheme::Bearer, "x")));
        assert_eq!(token_of("Bearer "), Some((TokenScheme::Bearer, "")));
        assert_eq!(token_of("dpop x"), Some((TokenScheme::Dpop, "x")));
        for other in ["", "Bearer", "DPoP", "Hawk id=\"Bearer x\"", "Bearers x", " Bearer x"] {
            assert_eq!(token_of(other), None, "{other:?}");
        }
        assert_eq!(TokenScheme::token_of(None), None);
    }
}
