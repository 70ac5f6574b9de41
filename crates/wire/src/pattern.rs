//! The naming patterns of parameters: the regular expression that messages print, and the same thing as a function.

use std::fmt;

/// A pattern for a path or query parameter.
///
/// `source` is what messages and references print (a JavaScript regular expression without its slashes); `matches` decides. They are kept together so that
/// nobody needs a regular expression engine for fifteen character classes; a test in `web` compares the two.
#[derive(Clone, Copy)]
pub struct Pattern {
    /// The expression as JavaScript prints it between its slashes.
    pub source: &'static str,
    /// Whether a decoded value fits.
    pub matches: fn(&str) -> bool,
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/", self.source)
    }
}

/// clientId, and the `prefix` of listClients.
pub const CLIENT_ID: Pattern = Pattern {
    source: "^[A-Za-z0-9!@/:.+|_-]+$",
    matches: |s| all(s, 1, usize::MAX, |b| b.is_ascii_alphanumeric() || b"!@/:.+|_-".contains(&b)),
};
/// An identity, `<provider>/<subject>`, the subject encoded as clientIds have it.
pub const IDENTITY: Pattern = Pattern {
    source: "^[A-Za-z0-9!@:.+|_-]+/[A-Za-z0-9!@/:.+|_-]+$",
    matches: |s| (CLIENT_ID.matches)(s) && s.split_once('/').is_some_and(|(provider, subject)| !provider.is_empty() && !subject.is_empty()),
};
/// The id of a grant.
pub const GRANT_ID: Pattern = Pattern { source: "^[A-Za-z0-9_-]{22}$", matches: |s| all(s, 22, 22, word_or_hyphen) };
/// The `client_id` of an application.
pub const APPLICATION_ID: Pattern =
    Pattern { source: "^[A-Za-z0-9._-]{1,100}$", matches: |s| all(s, 1, 100, |b| word_or_hyphen(b) || b == b'.') };
/// What the scopes of a service begin with.
pub const NAMESPACE: Pattern = Pattern { source: "^[A-Za-z0-9._-]{1,40}$", matches: |s| all(s, 1, 40, |b| word_or_hyphen(b) || b == b'.') };
/// The configured name of an identity provider.
pub const PROVIDER: Pattern = Pattern { source: "^[a-z0-9-]{1,32}$", matches: |s| all(s, 1, 32, |b| lower_or_digit(b) || b == b'-') };
/// A state that is or is not.
pub const BOOLEAN: Pattern = Pattern { source: "^(true|false)$", matches: |s| matches!(s, "true" | "false") };
/// roleId: printable ASCII.
pub const ROLE_ID: Pattern = Pattern { source: r"^[\x20-\x7e]+$", matches: |s| all(s, 1, usize::MAX, |b| (0x20..=0x7e).contains(&b)) };
/// `limit` of listings.
pub const LIMIT: Pattern = Pattern { source: "^[0-9]+$", matches: |s| all(s, 1, usize::MAX, |b| b.is_ascii_digit()) };
/// `continuationToken` of listings: any one character that is not a line end.
pub const CONTINUATION_TOKEN: Pattern =
    Pattern { source: ".", matches: |s| s.chars().any(|c| !matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}')) };
/// Where a follower of events stands: a revision, and how many of the next one's changes it has heard of.
pub const POSITION: Pattern = Pattern {
    source: r"^([0-9a-f]{16}-)?[0-9]+(\.[0-9]+)?$",
    matches: |s| {
        let (epoch, position) = s.split_once('-').unwrap_or(("0000000000000000", s));
        let fine = epoch.len() == 16 && epoch.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        fine && position.split_once('.').map_or_else(|| digits(position), |(revision, rows)| digits(revision) && digits(rows))
    },
};
/// The id of a refusal.
pub const REFUSAL_ID: Pattern = Pattern {
    source: "^[A-Za-z0-9_-]{22}$",
    matches: |s| s.len() == 22 && s.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')),
};
/// What an audit history may be about.
pub const ENTITY_TYPE: Pattern = Pattern {
    source: "^(client|role|secret|hook|worker-pool)$",
    matches: |s| matches!(s, "client" | "role" | "secret" | "hook" | "worker-pool"),
};
/// Access level of storage credentials.
pub const LEVEL: Pattern = Pattern { source: "^(read-write|read-only)$", matches: |s| matches!(s, "read-write" | "read-only") };
/// S3 bucket.
pub const BUCKET: Pattern = Pattern {
    source: "^[a-z0-9][a-z0-9-]{1,62}[a-z0-9]$",
    matches: |s| all(s, 3, 64, |b| lower_or_digit(b) || b == b'-') && !s.starts_with('-') && !s.ends_with('-'),
};
/// `format` of awsS3Credentials; not anchored.
pub const FORMAT: Pattern = Pattern { source: "iam-role-compat", matches: |s| s.contains("iam-role-compat") };
/// Azure storage account.
pub const ACCOUNT: Pattern = Pattern { source: "^[a-z0-9]{3,24}$", matches: |s| all(s, 3, 24, lower_or_digit) };
/// The URL of a service (RFC 8707).
pub const RESOURCE: Pattern = Pattern {
    source: "^https?://[!-~]{1,2000}$",
    matches: |s| {
        s.strip_prefix("http").is_some_and(|s| {
            let rest = s.strip_prefix('s').unwrap_or(s).strip_prefix("://");
            rest.is_some_and(|rest| all(rest, 1, 2000, |b| b.is_ascii_graphic()))
        })
    },
};
/// Azure table.
pub const TABLE: Pattern = Pattern {
    source: "^[A-Za-z][A-Za-z0-9]{2,62}$",
    matches: |s| all(s, 3, 63, |b| b.is_ascii_alphanumeric()) && s.bytes().next().is_some_and(|b| b.is_ascii_alphabetic()),
};
/// Azure container: no two hyphens in a row.
pub const CONTAINER: Pattern = Pattern {
    source: "^(?!.*[-]{2})[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$",
    matches: |s| all(s, 3, 63, |b| lower_or_digit(b) || b == b'-') && !s.starts_with('-') && !s.ends_with('-') && !s.contains("--"),
};
/// Sentry project.
pub const PROJECT: Pattern = Pattern { source: "^[a-zA-Z0-9_-]{1,64}$", matches: |s| all(s, 1, 64, word_or_hyphen) };
/// Audience of a websocktunnel token.
pub const WST_AUDIENCE: Pattern = Pattern { source: "^[a-zA-Z0-9_-]{1,38}$", matches: |s| all(s, 1, 38, word_or_hyphen) };
/// Client of a websocktunnel token.
pub const WST_CLIENT: Pattern =
    Pattern { source: "^[a-zA-Z0-9_~.%-]+$", matches: |s| all(s, 1, usize::MAX, |b| word_or_hyphen(b) || b"~.%".contains(&b)) };
/// Name of a configured GitHub application.
pub const APP_NAME: Pattern = Pattern { source: "^[a-zA-Z0-9_-]+$", matches: |s| all(s, 1, usize::MAX, word_or_hyphen) };
/// Owner of a GitHub repository.
pub const OWNER: Pattern = Pattern { source: "^[A-Za-z0-9._-]+$", matches: |s| all(s, 1, usize::MAX, |b| word_or_hyphen(b) || b == b'.') };

fn digits(text: &str) -> bool {
    all(text, 1, usize::MAX, |b| b.is_ascii_digit())
}

fn all(s: &str, min: usize, max: usize, allowed: impl Fn(u8) -> bool) -> bool {
    (min..=max).contains(&s.len()) && s.bytes().all(allowed)
}

fn lower_or_digit(b: u8) -> bool {
    b.is_ascii_lowercase() || b.is_ascii_digit()
}

fn word_or_hyphen(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b == b'-'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_the_end_of_the_text() {
        assert!((CLIENT_ID.matches)("a!@/:.+|_-9"));
        assert!(!(CLIENT_ID.matches)("a\n"));
        assert!(!(CLIENT_ID.matches)(""));
        for (identity, fits) in
            [("local/ann", true), ("oidc/a!2Fb/c", true), ("local", false), ("/ann", false), ("local/", false), ("a b/c", false)]
        {
            assert_eq!((IDENTITY.matches)(identity), fits, "{identity}");
        }
        assert!(!(ROLE_ID.matches)("a\u{e9}"));
        assert!((CONTAINER.matches)("a-b"));
        assert!(!(CONTAINER.matches)("a--b"));
        assert!(!(CONTINUATION_TOKEN.matches)("\n"));
        assert!((FORMAT.matches)("x-iam-role-compat-y"));
    }
}
