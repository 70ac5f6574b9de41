//! The same lies when the provider is asked about somebody without them: whatever it answers, the person has what they had.

use falconer_login::{RefreshError, Refreshment};

use crate::provider::{Company, REFRESH_TOKEN};
use crate::{Row, claims, tokens, transport};

/// Cases that change the discovery document.
const OF_THE_DOCUMENT: [&str; 3] = ["an algorithm that the provider does not have", "a provider that signs with nothing", "nowhere"];

/// What was answered instead of what was said at sign-in, for each case: `Err` where it was refused.
async fn asked_again(row: &Row) -> (Result<Refreshment, RefreshError>, bool) {
    let company = Company::new().await;
    company.sign_in(|case| case.token_answer["refresh_token"] = REFRESH_TOKEN.into()).await.unwrap();
    let record = |company: &Company| company.world.auth.directory().identity("company/you").unwrap().record.clone();
    let before = record(&company);
    company.change(row.1);
    let outcome = company.world.login.refresh_person("company/you").await;
    let is_as_before = record(&company) == before;
    (outcome, is_as_before)
}

#[tokio::test]
async fn no_hostile_answer_changes_what_somebody_has() {
    let mut wrong = Vec::new();
    let mut refused = 0;
    for rows in [tokens::SIGNATURES, tokens::SHAPES, claims::PARTIES, claims::TIMES, claims::PERSON, transport::TOKENS, transport::USERINFO]
    {
        for row in rows {
            match asked_again(row).await {
                (Err(_), true) => refused += 1,
                // A refresh answers no sign-in: it has no nonce (OpenID Connect Core 1.0 section 12.2).
                (Ok(_), true) if row.0.contains("nonce") => {}
                // What the provider says of itself was read when the person signed in, and counts for an hour.
                (Ok(_), true) if OF_THE_DOCUMENT.contains(&row.0) => {}
                // It takes the refresh token no longer: what it said before is over.
                (Ok(Refreshment::Refused), false) if row.0 == "a code that counts no more" => {}
                (outcome, is_as_before) => wrong.push(format!("{}: {outcome:?}, as before: {is_as_before}", row.0)),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(refused >= 140, "{refused}");
}
