//! Where a sign-in that came to nothing is begun anew: with the same aim, and with the place to go on at.

use falconer_grants::encode_component;
use falconer_login::{Aim, Begun};

use crate::pages::sign_in::provider;

/// As links and forms say it: `again`, `link` or nothing.
pub(super) fn of(purpose: &str, next: &str) -> Begun {
    let aim = match purpose {
        "again" => Aim::Reauthenticate,
        "link" => Aim::Link,
        _ => Aim::SignIn,
    };
    Begun { aim, next: next.to_owned() }
}

/// Where nothing is known of it: somebody signs in, and goes to their own page.
pub(super) fn unknown() -> Begun {
    of("", "/")
}

/// The page of this provider, or the way to it.
pub(super) fn anew(provider: &str, begun: &Begun) -> String {
    match begun.aim {
        Aim::SignIn => provider::path(provider, &begun.next),
        Aim::Reauthenticate => format!("{}&for=again", provider::path(provider, &begun.next)),
        Aim::Link => format!("/login/{provider}?for=link"),
    }
}

/// The page of all ways.
pub(super) fn others(begun: &Begun) -> String {
    match begun.aim {
        Aim::SignIn => format!("/login?next={}", encode_component(&begun.next)),
        Aim::Reauthenticate => format!("/me/again?next={}", encode_component(&begun.next)),
        Aim::Link => "/auth/identities".to_owned(),
    }
}

/// What a link to it says.
pub(super) fn others_text(begun: &Begun) -> &'static str {
    match begun.aim {
        Aim::SignIn => "Sign in",
        Aim::Reauthenticate => "Sign in again",
        Aim::Link => "Go to your identities",
    }
}
