//! The checks of the plan `DPoP`, for `docs/reference/openid-conformance.md`: those of single proofs, and these rows of the tests beside this file.

use super::section_4_3;

const INVALID: &str = "400 `invalid_dpop_proof`";
const TOKENS: &str = "tokens of the type `DPoP`";

/// The section of RFC 9449, what is tried, and what comes of it. A test says each in what it asserts.
const ROWS: [(&str, &str, &str); 41] = [
    ("5", "a code with a proof", TOKENS),
    ("5", "a refresh token of a public application without a proof", INVALID),
    ("5", "a refresh token of a public application with a proof of another key", INVALID),
    ("5", "a refresh token of a public application with a proof of its key", TOKENS),
    ("5", "an application with a secret refreshes with another key", "tokens that are bound to that key"),
    ("5.1", "`dpop_signing_alg_values_supported`", "`[\"ES256\",\"Ed25519\",\"EdDSA\",\"ES384\",\"PS256\",\"RS256\"]`"),
    ("5.2", "`dpop_bound_access_tokens`: a code without a proof", INVALID),
    ("5.2", "`dpop_bound_access_tokens`: the same code with a proof", TOKENS),
    ("5.2", "`dpop_bound_access_tokens`: its refresh token without a proof", INVALID),
    ("5", "a token exchange of a bound token without a proof", INVALID),
    ("5", "a token exchange of a bound token with a proof of another key", INVALID),
    ("5", "a token exchange of a bound token with a proof of its key", "a token that is bound to it"),
    ("5", "a request for more than a bound token gives, without a proof", INVALID),
    ("5", "a request for more than a bound token gives, with a proof of another key", INVALID),
    ("5", "what is given beyond a bound token, to another key and to its own", "400 `invalid_dpop_proof`; a token that is bound to it"),
    ("6.2", "introspection of a bound token", "`token_type` is `DPoP`, `cnf.jkt` its key"),
    ("10", "a code with `dpop_jkt` without a proof", INVALID),
    ("10", "a code with `dpop_jkt` and a proof of that key", "tokens"),
    ("10", "a code with `dpop_jkt` and a proof of another key", "400 `invalid_grant`, and the code is used up"),
    ("10.1", "a code of a request that was pushed with a proof, without one", INVALID),
    ("10.1", "a code of a request that was pushed with a proof, and one of that key", "tokens"),
    ("10.1", "a code of a request that was pushed with a proof, and one of another key", "400 `invalid_grant`, and the code is used up"),
    ("10.1", "`dpop_jkt` of another key than the proof beside it", INVALID),
    ("10", "`dpop_jkt` that is no thumbprint", "400 `invalid_request`"),
    ("7.1", "a token with its proof at a service", "the request is let through"),
    ("7.1", "a token as `DPoP` without a proof", "`proof-missing`"),
    ("7.1", "a token with a proof of another key", "`proof-other-key`"),
    ("7.1", "a token that is bound to no key as `DPoP`", "`token-not-bound`"),
    ("7.2", "a bound token as `Bearer`", "`token-bound`"),
    ("7.2", "a bound token as `Bearer` with its proof", "`token-bound`"),
    ("11.1", "a proof at a service once more", "`proof-replayed`"),
    ("11.1", "64 times one proof at a service, at once", "one is let through"),
    ("11.1", "64 times one proof at the token endpoint, at once", "one gets tokens"),
    ("7.1", "`credentials` with a proof", "200"),
    ("7.1", "`credentials` with the same proof once more", "401 `invalid_dpop_proof`"),
    ("7.1", "`credentials` with a bound token as `DPoP` without a proof", "401 `invalid_dpop_proof`, a challenge with `algs`"),
    ("7.1", "`credentials` with a proof for another method", "401 `invalid_dpop_proof`, a challenge with `algs`"),
    ("7.1", "`credentials` with a proof without `ath`", "401 `invalid_dpop_proof`, a challenge with `algs`"),
    ("7.2", "`credentials` with a bound token as `Bearer`", "401 `invalid_token`, a challenge with `algs`"),
    ("7.1", "`userinfo` with a proof", "200"),
    ("7.2", "`userinfo` with a bound token as `Bearer`, in the header and in a form", "401 `invalid_token`"),
];

/// What an assertion is about. It has to be a row.
pub(super) fn row(what: &'static str) -> &'static str {
    assert!(ROWS.iter().any(|(_, known, _)| *known == what), "{what} is no row");
    what
}

/// All of the plan: the section, what is tried, and what comes of it.
pub fn rows() -> Vec<(String, String, String)> {
    let rows = ROWS.iter().map(|(section, what, comes)| (format!("RFC 9449 {section}"), (*what).to_owned(), (*comes).to_owned()));
    rows.chain(section_4_3::refused_rows()).chain(section_4_3::taken_rows()).collect()
}

#[test]
fn a_test_says_each_row() {
    let tests = [include_str!("mod.rs"), include_str!("given.rs"), include_str!("more.rs"), include_str!("shown.rs")].concat();
    for (_, what, _) in ROWS {
        assert_eq!(tests.matches(&format!("row(\"{what}\")")).count(), 1, "{what}");
    }
}
