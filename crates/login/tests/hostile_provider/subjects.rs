//! Another claim than `sub` that says who somebody is, as with Entra's `oid`: what is wrong with it signs nobody in, and nobody is ever known by two claims.

use falconer_login::{ProviderError as E, ProviderSignInError, RefreshError};
use serde_json::{Value, json};

use crate::provider::{Case, Company, REFRESH_TOKEN};
use crate::{Row, row};

/// As Entra writes it, beside a `sub` that it makes for each application.
const OID: &str = "00000000-0000-0000-66f3-3332eca7ea81";

fn entra(case: &mut Case) {
    case.claim("oid", json!(OID));
}

const HOSTILE: &[Row] = &[
    row!("no such claim", |_| (), E::SubjectClaim(_)),
    row!("null", |c| c.claims["oid"] = Value::Null, E::SubjectClaim(_)),
    row!("a number", |c| c.claim("oid", json!(1)), E::SubjectClaim(_)),
    row!("true", |c| c.claim("oid", json!(true)), E::SubjectClaim(_)),
    row!("a list", |c| c.claim("oid", json!([OID])), E::SubjectClaim(_)),
    row!("an object", |c| c.claim("oid", json!({ "id": OID })), E::SubjectClaim(_)),
    row!("empty", |c| c.claim("oid", json!("")), E::Subject(_)),
    row!("a star", |c| c.claim("oid", json!("*")), E::Subject(_)),
    row!("a star at its end", |c| c.claim("oid", json!("0000*")), E::Subject(_)),
    row!("a star inside", |c| c.claim("oid", json!("00*00")), E::Subject(_)),
    row!("a space at its end", |c| c.claim("oid", json!(format!("{OID} "))), E::Subject(_)),
    row!("a space", |c| c.claim("oid", json!(" ")), E::Subject(_)),
    row!("a line end", |c| c.claim("oid", json!(format!("{OID}\n"))), E::Subject(_)),
    row!("a zero", |c| c.claim("oid", json!(format!("{OID}\0"))), E::Subject(_)),
    row!("letters that look like others", |c| c.claim("oid", json!("0оо0")), E::Subject(_)),
    row!("256 characters", |c| c.claim("oid", json!("x".repeat(256))), E::Subject(_)),
    row!("in capitals only", |c| c.claim("OID", json!(OID)), E::SubjectClaim(_)),
    row!("only from the userinfo endpoint", |c| c.userinfo = json!({"sub": "you", "oid": OID}), E::SubjectClaim(_)),
    row!(
        "another one from the userinfo endpoint",
        |c| {
            entra(c);
            c.userinfo = json!({"sub": "you", "oid": "somebody"});
        },
        E::OtherPerson
    ),
    row!(
        "null from the userinfo endpoint",
        |c| {
            entra(c);
            c.userinfo = json!({"sub": "you", "oid": null});
        },
        E::OtherPerson
    ),
    row!(
        "a userinfo endpoint that speaks of another `sub`",
        |c| {
            entra(c);
            c.userinfo = json!({"sub": "somebody", "oid": OID});
        },
        E::OtherPerson
    ),
];

#[tokio::test]
async fn no_hostile_subject_signs_anybody_in() {
    let mut wrong = Vec::new();
    for (name, change, is_the_reason) in HOSTILE {
        let company = Company::known_by("oid").await;
        match company.sign_in(*change).await {
            Err(ProviderSignInError::Provider(error)) if is_the_reason(&error) => {}
            Err(error) => wrong.push(format!("{name}: {error:?}")),
            Ok(_) => wrong.push(format!("{name}: somebody was signed in")),
        }
        company.assert_nobody_is_known(name);
        assert_eq!(company.world.store.known_by("company").await, Ok(None), "{name}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn somebody_is_known_by_the_claim_that_is_configured() {
    let company = Company::known_by("oid").await;
    for change in [entra, |c: &mut Case| {
        entra(c);
        c.userinfo = json!({"sub": "you", "oid": OID});
    }] {
        let inbound = company.sign_in(change).await.unwrap();
        assert_eq!(inbound.signed_in.session.person.identity, format!("company/{OID}"));
    }
    company.assert_nobody_is_known("the other claim");
    assert_eq!(company.world.store.known_by("company").await, Ok(Some("oidc oid".to_owned())));
}

/// Somebody whose `oid` is another one's `sub` would have been taken for them.
#[tokio::test]
async fn nobody_is_known_by_two_claims() {
    let mut company = Company::new().await;
    company.sign_in(|case| case.token_answer["refresh_token"] = REFRESH_TOKEN.into()).await.unwrap();
    let record = |company: &Company| company.world.auth.directory().identity("company/you").unwrap().record.clone();
    let before = record(&company);
    company.start_again("oid");
    let other = E::KnownByOther { kept: "oidc sub".to_owned(), configured: "oidc oid".to_owned() };
    let refused = company.sign_in(|case| {
        case.claim("sub", json!("somebody"));
        case.claim("oid", json!("you"));
        case.userinfo = json!({"sub": "somebody"});
    });
    assert_eq!(refused.await.err(), Some(ProviderSignInError::Provider(other.clone())));
    assert_eq!(company.sign_in(entra).await.err(), Some(ProviderSignInError::Provider(other.clone())));
    company.change(entra);
    assert_eq!(company.world.login.refresh_person("company/you").await, Err(RefreshError::Provider(other)));
    assert_eq!(record(&company), before, "what was known counts for its time");
    company.start_again("sub");
    company.sign_in(|_| ()).await.unwrap();
}

/// A database of before: nothing was kept, and people are known by `sub`.
#[tokio::test]
async fn people_of_before_are_known_by_sub() {
    let mut company = Company::new().await;
    let record = {
        let other = Company::new().await;
        other.sign_in(|_| ()).await.unwrap();
        other.world.auth.directory().identity("company/you").unwrap().record.clone()
    };
    company.world.auth.put_identity("test", &record).await.unwrap();
    company.start_again("oid");
    assert!(matches!(company.sign_in(entra).await.err(), Some(ProviderSignInError::Provider(E::KnownByOther { .. }))));
    company.start_again("sub");
    company.sign_in(|_| ()).await.unwrap();
}
