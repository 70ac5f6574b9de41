//! The checks of the plan `Signed access tokens`, for `docs/reference/openid-conformance.md`. A test beside this file says each in what it asserts.

const ROWS: [(&str, &str, &str); 41] = [
    ("RFC 9068 2.1", "`typ`", "`at+jwt`"),
    ("RFC 9068 2.1", "`alg`", "`ES256`, never `none`"),
    ("RFC 9068 2.1", "`kid`", "that of a published key, which verifies it"),
    ("RFC 9068 2.2", "`iss`", "the issuer, letter by letter"),
    ("RFC 9068 2.2", "`aud`", "the `resource`, and no other"),
    ("RFC 9068 2.2", "`sub`", "stands for the person at this service; not that of ID tokens"),
    ("RFC 9068 6", "`sub` for two applications", "the same"),
    ("RFC 9068 6", "`sub` at another service", "another one"),
    ("RFC 9068 2.2", "`client_id`", "the application"),
    ("RFC 9068 2.2", "`iat`", "now"),
    ("RFC 9068 2.2", "`exp`", "300 seconds later, as `expires_in`"),
    ("RFC 9068 2.2", "`exp` of a grant that ends sooner", "the end of the grant"),
    ("RFC 9068 2.2", "`jti` of two tokens", "two"),
    ("RFC 9068 2.2.3", "`scope`", "what the grant gives now of what the service asks for"),
    ("RFC 9068 2.2.3", "`scope` with a scope that holds a blank", "`notes:a%20b`"),
    ("RFC 9068 2.2.3", "`scope` after the person has lost a scope", "without it"),
    ("RFC 9068 2.2.1", "`auth_time` and `acr` with `openid`", "as in the ID token"),
    ("RFC 9068 2.2.1", "`auth_time` and `acr` without `openid`", "not there"),
    ("RFC 9449 6.1", "`cnf.jkt` of a token that is bound to a key", "its thumbprint"),
    ("RFC 9068 3", "a `resource` that is not registered as one", "an opaque token"),
    ("RFC 9068 3", "no `resource`", "an opaque token"),
    ("RFC 9068 3", "two resources, of which one is registered", "400 `invalid_target`; the code is left as it is"),
    ("RFC 9068 3", "more scopes than a token has room for", "400 `invalid_scope`; the code is left as it is"),
    ("RFC 9068 3", "a refresh token", "another signed token"),
    ("RFC 9068 3", "a part of a grant by token exchange", "a signed token of that part"),
    ("RFC 9068 4", "`jwks_uri` in the metadata", "that of the keys"),
    ("RFC 9068 4", "at `check`, for its service", "as its grant"),
    ("RFC 9068 4", "at `check`, after the key was replaced", "as its grant"),
    ("RFC 7662 2.2", "introspection", "active, with `aud` and `client_id`"),
    ("RFC 7662 2.2", "introspection by another application", "`{\"active\":false}`"),
    ("RFC 7009 2.1", "revocation by its application", "its grant ends"),
    ("RFC 7009 2.1", "revocation by another application", "400 `invalid_grant`; it counts"),
    ("RFC 9068 5", "the feed, while the grant counts", "says nothing of it"),
    ("RFC 9068 5", "the feed, after the person has revoked it", "has its `falconer_grant`"),
    ("RFC 9068 5", "the feed, after a second use of the refresh token", "has its `falconer_grant`"),
    ("RFC 9068 5", "the feed, after the account was disabled", "has its `falconer_grant`"),
    ("RFC 9068 5", "the feed, seven minutes later", "says nothing of it"),
    ("RFC 9068 5", "the feed of another service", "other values"),
    ("RFC 9449 7.1", "at `check`, bound to a key and with its proof", "as its grant"),
    ("RFC 9068 5", "at `credentials`, `userinfo` and in a token exchange", "refused"),
    ("RFC 9068 5", "its `jti` alone, as a token", "`token-malformed`"),
];

/// What an assertion is about. It has to be a row.
pub(super) fn row(what: &'static str) -> &'static str {
    assert!(ROWS.iter().any(|(_, known, _)| *known == what), "{what} is no row");
    what
}

/// The section, what is tried, and what comes of it.
pub fn rows() -> Vec<(String, String, String)> {
    ROWS.iter().map(|(section, what, comes)| ((*section).to_owned(), (*what).to_owned(), (*comes).to_owned())).collect()
}

#[test]
fn a_test_says_each_row() {
    let tests = [include_str!("given.rs"), include_str!("shown.rs"), include_str!("ended.rs")].concat();
    for (_, what, _) in ROWS {
        assert_eq!(tests.matches(&format!("row(\"{what}\")")).count(), 1, "{what}");
    }
}
