//! Tokens on two nodes that share a store: nothing has to be looked up for one, and each refresh token is used once.

use std::sync::Arc;

use falconer_auth::{Auth, AuthSettings, Decision, Origin, ProofParts, Question, Random as _, Reason, RequestParts, TokenFault};
use falconer_grants::{ClientProof, ExchangeError, GrantSettings, Grants, IssuedToken, Parameters, Registration, SentProof, ShownToken};
use falconer_login::Login;
use falconer_scopes::Expression;
use falconer_store::Store;

use super::applications::{code, notes, query, settings};
use super::common::{ADDRESS, Counting, World, login_settings};

/// Another node on the store of the first, which knows nothing of what happens there from now on.
pub(super) async fn second_node(world: &World) -> (Grants, Arc<Auth>) {
    node_on(world, world.store.clone(), settings(vec![notes()])).await
}

/// The same over another connection to what the first one keeps.
pub(super) async fn node_on(world: &World, store: Arc<dyn Store>, settings: GrantSettings) -> (Grants, Arc<Auth>) {
    let random = Arc::new(Counting::default());
    // Other numbers than the first node draws.
    random.fill(&mut [0; 80_000]);
    let origin = Origin::parse("https://auth.example.com").unwrap();
    let auth = Auth::open(store.clone(), AuthSettings::new(origin), world.clock.clone(), random.clone());
    let auth = Arc::new(auth.await.unwrap());
    let login = Login::open(auth.clone(), store.clone(), login_settings(), world.clock.clone(), random).unwrap();
    (Grants::open(auth.clone(), Arc::new(login), store, settings).unwrap(), auth)
}

async fn check(auth: &Auth, token: &str) -> Decision {
    let header = format!("Bearer {token}");
    let parts = RequestParts { method: "get", resource: "/", host: "notes.example.com", port: 443, authorization: Some(&header) };
    let required = Expression::Scope("notes:read:zap/x".to_owned());
    let question = Question {
        parts,
        proof: ProofParts::default(),
        required: &required,
        payload_hash: None,
        each: None,
        reveal: None,
        identity: true,
        bearer: true,
    };
    auth.check(&question).await.unwrap()
}

pub(super) async fn refresh(grants: &Grants, token: &str) -> Result<IssuedToken, ExchangeError> {
    let form = format!("grant_type=refresh_token&refresh_token={token}");
    grants.token(&Parameters::read(&form).unwrap(), ClientProof::Id("notes"), SentProof::NONE).await
}

#[tokio::test]
async fn a_token_counts_on_every_node_at_once() {
    let world = World::with(settings(vec![notes()])).await;
    let (_, other_auth) = second_node(&world).await;
    let before = other_auth.revision();
    let exchange = code(&world).await;
    let issued = world.grants.token(&exchange, ClientProof::Id("notes"), SentProof::NONE).await.ok().unwrap();
    assert!(matches!(check(&other_auth, &issued.token).await, Decision::Allowed(_)));
    assert!(other_auth.revision() > before, "the grant was looked for in the store, once the MAC was right");
    // A token that nobody made is not looked for.
    let mistyped = format!("{}A", &issued.token[..issued.token.len() - 1]);
    assert_eq!(check(&other_auth, &mistyped).await, Decision::Failed(Reason::Token(TokenFault::Malformed)));
}

#[tokio::test]
async fn of_64_uses_of_a_refresh_token_on_two_nodes_one_succeeds() {
    let world = World::with(settings(vec![notes()])).await;
    let (other, _) = second_node(&world).await;
    let issued = world.grants.token(&code(&world).await, ClientProof::Id("notes"), SentProof::NONE).await.ok().unwrap();
    let token = issued.refresh_token.unwrap();
    let mut uses = tokio::task::JoinSet::new();
    let (first, second) = (Arc::new(world.grants), Arc::new(other));
    for n in 0..64 {
        let (node, token) = (if n % 2 == 0 { first.clone() } else { second.clone() }, token.clone());
        uses.spawn(async move { refresh(&node, &token).await });
    }
    let answers = uses.join_all().await;
    let given: Vec<&IssuedToken> = answers.iter().filter_map(|answer| answer.as_ref().ok()).collect();
    assert_eq!(given.len(), 1);
    assert!(answers.iter().filter_map(|answer| answer.as_ref().err()).all(|error| *error == ExchangeError::RefreshToken));
    // The others were uses too, and what the one was given is worth nothing on either node.
    for node in [&first, &second] {
        assert_eq!(node.credentials(&ShownToken::bearer(&given[0].token)).await.err().unwrap(), ExchangeError::InvalidToken);
    }
}

/// A server that had not heard of it yet said that there is no such application, and that its token is none.
#[tokio::test]
async fn an_application_that_registers_at_one_node_goes_on_at_another() {
    let open = || GrantSettings { registration: Registration::Open, ..settings(vec![]) };
    let world = World::with(open()).await;
    let (looks_after, _) = node_on(&world, world.store.clone(), open()).await;
    let (asks, _) = node_on(&world, world.store.clone(), open()).await;
    let (deletes, _) = node_on(&world, world.store.clone(), open()).await;
    let back = "https://agent.example.com/back";
    let metadata = serde_json::json!({ "redirect_uris": [back] });
    let one = world.grants.register(None, metadata.as_object().unwrap(), ADDRESS).await.ok().unwrap();
    let read = looks_after.registered(&one.id, Some(&one.access_token)).await.ok().unwrap();
    assert_eq!(read.redirect_uris, [back]);
    let query = query(&one.id, back);
    asks.look_for_application_of(&query).await.unwrap();
    assert!(asks.authorization(&query, "https://auth.example.com").is_ok());
    deletes.delete_registered(&one.id, Some(&one.access_token)).await.unwrap();
}
