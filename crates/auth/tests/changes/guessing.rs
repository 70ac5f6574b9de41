//! What somebody without rights learns of records by asking for changes.

use crate::common::{World, strings};
use falconer_auth::{ApiError, Batch, BatchClient, BatchRole, RoleInput};

/// A stranger who asked to add 10,000 scopes to a client was told which of them it lacked, and so which it has.
#[tokio::test]
async fn nobody_learns_by_guessing_what_a_client_or_a_role_has() {
    let world = World::bare().await;
    world.client("known", &["a", "b"]).await;
    world.role("known", &["a", "b"]).await;
    let guesses = ["a", "b", "c"];
    let missing_of = |refused: ApiError| match refused {
        ApiError::InsufficientScopes { missing, .. } => missing.to_string(),
        other => panic!("{other:?}"),
    };
    let input = world.input(&guesses);
    let role_input = RoleInput { scopes: strings(&guesses), description: String::new() };
    let client = |scopes: &[&str]| BatchClient {
        client_id: "known".to_owned(),
        expires_us: input.expires_us,
        description: input.description.clone(),
        scopes: strings(scopes),
        delete_on_expiration: input.delete_on_expiration,
        disabled: None,
        access_token: None,
    };
    let batch = |scopes: &[&str]| Batch {
        roles: vec![BatchRole { role_id: "known".to_owned(), input: RoleInput { scopes: strings(scopes), description: String::new() } }],
        clients: Vec::new(),
    };
    let nobody = world.auth.nobody();
    let (auth, all) = (&world.auth, |text: &str| guesses.iter().all(|guess| text.contains(&format!("\"{guess}\""))));
    for text in [
        missing_of(auth.update_client(&nobody, "known", &input).await.map(|_| ()).unwrap_err()),
        missing_of(auth.update_role(&nobody, "known", &role_input).await.map(|_| ()).unwrap_err()),
        missing_of(auth.plan_client_change(&nobody, "known", &input).map(|_| ()).unwrap_err()),
        missing_of(auth.plan_role_change(&nobody, "known", Some(&role_input)).map(|_| ()).unwrap_err()),
        missing_of(auth.put_client(&nobody, &client(&guesses)).await.map(|_| ()).unwrap_err()),
        missing_of(auth.import(&nobody, &batch(&guesses)).await.map(|_| ()).unwrap_err().error),
    ] {
        assert!(all(&text), "{text}");
    }
    // Nor by guessing all of it.
    let right = missing_of(auth.put_client(&nobody, &client(&["a", "b"])).await.map(|_| ()).unwrap_err());
    let wrong = missing_of(auth.put_client(&nobody, &client(&["a", "x"])).await.map(|_| ()).unwrap_err());
    assert_eq!(right.replace("\"b\"", "\"x\""), wrong);
    let right = missing_of(auth.import(&nobody, &batch(&["a", "b"])).await.map(|_| ()).unwrap_err().error);
    let wrong = missing_of(auth.import(&nobody, &batch(&["a", "x"])).await.map(|_| ()).unwrap_err().error);
    assert_eq!(right.replace("\"b\"", "\"x\""), wrong);
    // Whoever may change it still needs only what it lacks.
    let keys = world.client("able", &["auth:update-client:known", "auth:update-role:known", "c"]).await;
    let able = world.call(&keys).await;
    assert!(auth.update_client(&able, "known", &input).await.is_ok());
    assert!(auth.update_role(&able, "known", &role_input).await.is_ok());
}
