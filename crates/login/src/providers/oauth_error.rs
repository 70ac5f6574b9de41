//! What a provider's refusal in OAuth's words means (RFC 6749 sections 4.1.2.1 and 5.2): whether the person, the operator or time has to do something about it.

use super::error::{Fault, ProviderError, short};

/// Where codes and refresh tokens are exchanged.
pub(crate) const TOKEN_ENDPOINT: &str = "token endpoint";

/// The refusal that a browser brought back. Anybody can make one up, so that it is never told as the fault of the provider, nor of the operator.
pub(crate) fn of_callback(said: &str) -> ProviderError {
    let of = match said {
        "unauthorized_client" | "invalid_scope" | "unsupported_response_type" | "invalid_request" => Fault::Provider,
        // GitHub's own.
        "redirect_uri_mismatch" | "application_suspended" => Fault::Provider,
        "server_error" | "temporarily_unavailable" => Fault::Away,
        _ => return ProviderError::Said(short(said)),
    };
    ProviderError::CallbackSaid { said: short(said), of }
}

/// The refusal of the token endpoint.
pub(crate) fn of_token_endpoint(said: &str) -> ProviderError {
    match said {
        "invalid_client" | "unauthorized_client" | "unsupported_grant_type" | "invalid_scope" | "invalid_request" => {
            ProviderError::ClientRefused { what: TOKEN_ENDPOINT, said: short(said) }
        }
        "server_error" | "temporarily_unavailable" => ProviderError::SaidAway { what: TOKEN_ENDPOINT, said: short(said) },
        _ => ProviderError::Said(short(said)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(error: &ProviderError) -> Fault {
        if let ProviderError::CallbackSaid { of, .. } = error { *of } else { error.fault() }
    }

    /// Story: words that anybody can make up were a warning in the log, and set off the alert that the provider fails.
    #[test]
    fn each_word_is_somebodys() {
        for (said, at_callback, at_token_endpoint) in [
            ("access_denied", Fault::Person, Fault::Person),
            ("login_required", Fault::Person, Fault::Person),
            ("invalid_grant", Fault::Person, Fault::Person),
            ("of the provider's own", Fault::Person, Fault::Person),
            ("invalid_client", Fault::Person, Fault::Provider),
            ("unauthorized_client", Fault::Provider, Fault::Provider),
            ("unsupported_grant_type", Fault::Person, Fault::Provider),
            ("unsupported_response_type", Fault::Provider, Fault::Person),
            ("invalid_scope", Fault::Provider, Fault::Provider),
            ("invalid_request", Fault::Provider, Fault::Provider),
            ("server_error", Fault::Away, Fault::Away),
            ("temporarily_unavailable", Fault::Away, Fault::Away),
            ("application_suspended", Fault::Provider, Fault::Person),
        ] {
            let errors = [of_callback(said), of_token_endpoint(said)];
            assert_eq!([meant(&errors[0]), errors[1].fault()], [at_callback, at_token_endpoint], "{said}");
            assert_eq!(errors[0].fault(), Fault::Person, "{said}");
            // Else a stranger tries as often as they like.
            assert!(errors[0].may_be_made_up(), "{said}");
            // A set-up that is wrong for everybody shuts nobody out besides.
            assert!(!of_token_endpoint("invalid_client").may_be_made_up());
        }
    }
}
