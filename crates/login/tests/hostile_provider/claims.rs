//! ID tokens that are signed well, and say what they must not.

use falconer_login::ProviderError as E;
use serde_json::{Value, json};

use crate::provider::{CLIENT_ID, Case, ISSUER, ISSUER_OF_OTHER, NOW};
use crate::signing::text;
use crate::{Row, row};

pub const PARTIES: &[Row] = &[
    row!("no issuer", |c| c.claim("iss", Value::Null), E::Claim("iss")),
    row!("the other provider's token", |c| c.claim("iss", json!(ISSUER_OF_OTHER)), E::Issuer(_)),
    row!("an issuer with a slash more", |c| c.claim("iss", json!(format!("{ISSUER}/"))), E::Issuer(_)),
    row!("an issuer in capitals", |c| c.claim("iss", json!(ISSUER.to_uppercase())), E::Issuer(_)),
    row!("an issuer that begins so", |c| c.claim("iss", json!(format!("{ISSUER}.evil.example"))), E::Issuer(_)),
    row!("an issuer without its scheme", |c| c.claim("iss", json!("login.example.com")), E::Issuer(_)),
    row!("an empty issuer", |c| c.claim("iss", json!("")), E::Issuer(_)),
    row!("a list of issuers", |c| c.claim("iss", json!([ISSUER])), E::Claim("iss")),
    row!("no audience", |c| c.claim("aud", Value::Null), E::Claim("aud")),
    row!("another audience", |c| c.claim("aud", json!("somebody")), E::Audience),
    row!("an audience that begins so", |c| c.claim("aud", json!(format!("{CLIENT_ID}2"))), E::Audience),
    row!("an audience in capitals", |c| c.claim("aud", json!(CLIENT_ID.to_uppercase())), E::Audience),
    row!("an empty audience", |c| c.claim("aud", json!("")), E::Audience),
    row!("no audience in the list", |c| c.claim("aud", json!([])), E::Audience),
    row!("others in the list", |c| c.claim("aud", json!(["a", "b"])), E::Audience),
    row!("a number among audiences", |c| c.claim("aud", json!([CLIENT_ID, 1])), E::Claim("aud")),
    row!("an audience that is an object", |c| c.claim("aud", json!({"id": CLIENT_ID})), E::Claim("aud")),
    row!("several audiences, nobody asked", |c| c.claim("aud", json!([CLIENT_ID, "somebody"])), E::AuthorizedParty),
    row!(
        "several audiences, another asked",
        |c| {
            c.claim("aud", json!([CLIENT_ID, "somebody"]));
            c.claim("azp", json!("somebody"));
        },
        E::AuthorizedParty
    ),
    row!("another asked", |c| c.claim("azp", json!("somebody")), E::AuthorizedParty),
    row!("a list asked", |c| c.claim("azp", json!([CLIENT_ID])), E::AuthorizedParty),
    row!("nothing asked", |c| c.claim("azp", json!("")), E::AuthorizedParty),
    row!("no nonce", |c| c.claim("nonce", Value::Null), E::Nonce),
    row!("an empty nonce", |c| c.claim("nonce", json!("")), E::Nonce),
    row!("another nonce", |c| c.claim("nonce", json!("A".repeat(43))), E::Nonce),
    row!("the state as nonce", |c| c.claim("nonce", json!(c.callback.state)), E::Nonce),
    row!(
        "a nonce with more behind it",
        |c| c.claim("nonce", json!(format!("{}A", c.claims["nonce"].as_str().unwrap_or_default()))),
        E::Nonce
    ),
    row!("a list of nonces", |c| c.claim("nonce", json!([c.claims["nonce"].clone()])), E::Nonce),
    row!("another access token", |c| c.claim("at_hash", json!(text(&[1; 16]))), E::AccessTokenHash),
    row!("a hash that is a number", |c| c.claim("at_hash", json!(1)), E::AccessTokenHash),
    row!("an empty hash", |c| c.claim("at_hash", json!("")), E::AccessTokenHash),
    row!(
        "a hash of no access token",
        |c| {
            c.claim("at_hash", json!(text(&[1; 16])));
            c.token_answer = json!({"access_token": null});
        },
        E::AccessTokenHash
    ),
];

pub const TIMES: &[Row] = &[
    row!("no end", |c| c.claim("exp", Value::Null), E::Claim("exp")),
    row!("ended a minute ago", |c| c.claim("exp", json!(NOW - 60)), E::Ended),
    row!("ended long ago", |c| c.claim("exp", json!(0)), E::Ended),
    row!("ended before time", |c| c.claim("exp", json!(i64::MIN)), E::Ended),
    row!("an end as text", |c| c.claim("exp", json!((NOW + 300).to_string())), E::Claim("exp")),
    row!("an end beyond numbers", |c| c.claim("exp", json!(1e300)), E::Claim("exp")),
    row!("an end that is true", |c| c.claim("exp", json!(true)), E::Claim("exp")),
    row!(
        "an end in milliseconds, issued so too",
        |c| {
            c.claim("exp", json!((NOW + 300) * 1000));
            c.claim("iat", json!(NOW * 1000));
        },
        E::NotFresh
    ),
    row!("no beginning", |c| c.claim("iat", Value::Null), E::Claim("iat")),
    row!("issued later", |c| c.claim("iat", json!(NOW + 61)), E::NotFresh),
    row!("issued long ago", |c| c.claim("iat", json!(NOW - 3600)), E::NotFresh),
    row!("issued before the sign-in could have begun", |c| c.claim("iat", json!(NOW - 16 * 60 - 1)), E::NotFresh),
    row!("issued never", |c| c.claim("iat", json!(i64::MIN)), E::NotFresh),
    row!("issued as text", |c| c.claim("iat", json!(NOW.to_string())), E::Claim("iat")),
    row!("not yet", |c| c.claim("nbf", json!(NOW + 61)), E::NotYet),
    row!("not ever", |c| c.claim("nbf", json!(i64::MAX)), E::NotYet),
    row!("not yet, as text", |c| c.claim("nbf", json!("later")), E::Claim("nbf")),
    row!("not yet, null", |c| c.claims["nbf"] = Value::Null, E::Claim("nbf")),
];

/// When the provider asked for a password: what a refresh does not look at.
pub const PROOFS: &[Row] = &[
    row!("asked in the future", |c| c.claim("auth_time", json!(NOW + 61)), E::Claim("auth_time")),
    row!("asked in milliseconds", |c| c.claim("auth_time", json!(NOW * 1000)), E::Claim("auth_time")),
    row!("asked as text", |c| c.claim("auth_time", json!(NOW.to_string())), E::Claim("auth_time")),
    row!("asked, which is true", |c| c.claim("auth_time", json!(true)), E::Claim("auth_time")),
    row!("asked nothing", |c| c.claims["auth_time"] = Value::Null, E::Claim("auth_time")),
];

fn groups(case: &mut Case, groups: Value) {
    case.claim("https://example.com/claims", json!({"groups": groups}));
}

pub const PERSON: &[Row] = &[
    row!("nobody", |c| c.claim("sub", Value::Null), E::Claim("sub") | E::OtherPerson),
    row!(
        "nobody anywhere",
        |c| {
            c.claim("sub", Value::Null);
            c.userinfo = json!({});
        },
        E::OtherPerson
    ),
    row!(
        "an empty subject",
        |c| {
            c.claim("sub", json!(""));
            c.userinfo = json!({"sub": ""});
        },
        E::Subject(_)
    ),
    row!(
        "a subject that is a number",
        |c| {
            c.claim("sub", json!(1));
            c.userinfo = json!({"sub": 1});
        },
        E::Claim("sub")
    ),
    row!(
        "a subject of 256 characters",
        |c| {
            c.claim("sub", json!("x".repeat(256)));
            c.userinfo = json!({"sub": "x".repeat(256)});
        },
        E::Subject(_)
    ),
    row!(
        "a subject that looks like another",
        |c| {
            c.claim("sub", json!("yоu"));
            c.userinfo = json!({"sub": "yоu"});
        },
        E::Subject(_)
    ),
    row!(
        "a subject with a line end",
        |c| {
            c.claim("sub", json!("you\n"));
            c.userinfo = json!({"sub": "you\n"});
        },
        E::Subject(_)
    ),
    row!(
        "a subject with a zero",
        |c| {
            c.claim("sub", json!("you\0"));
            c.userinfo = json!({"sub": "you\0"});
        },
        E::Subject(_)
    ),
    row!("a list of addresses", |c| c.claim("email", json!(["you@example.com"])), E::ClaimType { .. }),
    row!("an address that is verified as text", |c| c.claim("email_verified", json!("true")), E::ClaimType { .. }),
    row!("an address that is verified as a number", |c| c.claim("email_verified", json!(1)), E::ClaimType { .. }),
    row!("a list of names", |c| c.claim("preferred_username", json!(["you"])), E::ClaimType { .. }),
    row!("groups as text", |c| groups(c, json!("hr")), E::ClaimType { .. }),
    row!("groups as text with commas", |c| groups(c, json!("hr,web")), E::ClaimType { .. }),
    row!("groups as an object", |c| groups(c, json!({"hr": true})), E::ClaimType { .. }),
    row!("groups that are true", |c| groups(c, json!(true)), E::ClaimType { .. }),
    row!("a number among groups", |c| groups(c, json!(["hr", 1])), E::ClaimType { .. }),
    row!("null among groups", |c| groups(c, json!(["hr", null])), E::ClaimType { .. }),
    row!("a list among groups", |c| groups(c, json!([["hr"]])), E::ClaimType { .. }),
    row!("groups inside of text", |c| c.claim("https://example.com/claims", json!("groups")), E::ClaimType { .. }),
    row!("groups inside of a list", |c| c.claim("https://example.com/claims", json!([{"groups": ["hr"]}])), E::ClaimType { .. }),
    row!("1001 groups", |c| groups(c, (0..1001).map(|n| n.to_string()).collect()), E::TooManyGroups(_)),
    row!("10,001 times one group", |c| groups(c, (0..10_001).map(|_| "g".to_owned()).collect()), E::TooManyGroups(_)),
];
