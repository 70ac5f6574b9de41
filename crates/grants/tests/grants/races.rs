//! Two servers that share a PostgreSQL, at once: what is used once is used once, and what is bounded stays within its bound.

use std::sync::Arc;

use falconer_auth::{ApiError, Auth, NewDerivedGrant, NewGrant, Random as _};
use falconer_grants::{
    ApplicationSettings, ClientProof, ExchangeError, GrantError, GrantSettings, Grants, IssuedToken, Parameters, SentCode, SentProof,
    ServerAddress, ShownToken,
};
use falconer_login::LoginError;
use falconer_scopes::ScopeSet;
use falconer_store::{KeyRing, MOST_DERIVED_GRANTS, Store};
use falconer_store_postgres::PostgresStore;

use super::applications::{code, code_for, notes, settings};
use super::common::{ADDRESS, Counting, DAY_MS, START_MS, World};
use super::postgres::Database;
use super::tokens::{node_on, refresh};

/// So many at once.
const MANY: usize = 64;

pub(super) async fn store(database: &Database) -> Arc<dyn Store> {
    let sealing = Counting::default();
    let fill = Arc::new(move |bytes: &mut [u8]| sealing.fill(bytes));
    Arc::new(PostgresStore::open(&database.url, None, KeyRing::from_bytes("k1", [7; 32]).unwrap(), fill).await.unwrap())
}

fn applications() -> GrantSettings {
    settings(vec![notes(), ApplicationSettings { id: "tv".to_owned(), device: true, ..notes() }])
}

/// A server on it.
pub(super) async fn first_on(database: &Database) -> World {
    World::on(store(database).await, applications()).await
}

/// Another one beside it, with connections of its own.
pub(super) async fn second_on(database: &Database, world: &World) -> (Arc<Grants>, Arc<Auth>) {
    let (grants, auth) = node_on(world, store(database).await, applications()).await;
    (Arc::new(grants), auth)
}

/// So many at once, on both servers in turn: what each came to.
pub(super) async fn at_once<N, T, F>(nodes: [Arc<N>; 2], use_on: impl Fn(Arc<N>, usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut all = tokio::task::JoinSet::new();
    for number in 0..MANY {
        all.spawn(use_on(Arc::clone(&nodes[number % 2]), number));
    }
    all.join_all().await
}

/// The one that succeeded is worth nothing on either server: the others were uses too.
async fn one_of_many_and_nothing_in_the_end(nodes: &[Arc<Grants>; 2], answers: &[Result<IssuedToken, ExchangeError>]) {
    let given: Vec<&IssuedToken> = answers.iter().filter_map(|answer| answer.as_ref().ok()).collect();
    assert_eq!(given.len(), 1, "{:?}", answers.iter().filter_map(|answer| answer.as_ref().err()).collect::<Vec<_>>());
    for node in nodes {
        assert_eq!(node.credentials(&ShownToken::bearer(&given[0].token)).await.err(), Some(ExchangeError::InvalidToken));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn of_64_uses_of_a_code_one_succeeds_and_the_grant_ends() {
    let database = Database::make().await;
    let world = first_on(&database).await;
    let exchange = code(&world).await;
    let (other, _) = second_on(&database, &world).await;
    let nodes = [Arc::new(world.grants), other];
    let answers = at_once(nodes.clone(), |node, _| {
        let exchange = exchange.clone();
        async move { node.token(&exchange, ClientProof::Id("notes"), SentProof::NONE).await }
    })
    .await;
    one_of_many_and_nothing_in_the_end(&nodes, &answers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn of_64_uses_of_a_refresh_token_one_succeeds_and_the_grant_ends() {
    let database = Database::make().await;
    let world = first_on(&database).await;
    let exchange = code(&world).await;
    let (other, _) = second_on(&database, &world).await;
    let issued = world.grants.token(&exchange, ClientProof::Id("notes"), SentProof::NONE).await.ok().unwrap();
    let nodes = [Arc::new(world.grants), other];
    let token = issued.refresh_token.unwrap();
    let answers = at_once(nodes.clone(), |node, _| {
        let token = token.clone();
        async move { refresh(&node, &token).await }
    })
    .await;
    one_of_many_and_nothing_in_the_end(&nodes, &answers).await;
}

/// Two people see the same code and press at once, each on a server of their own: the device gets the grant of one of them, and that of the other one ends. Then
/// the device asks on both at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn of_two_people_one_answers_a_device_and_of_64_polls_one_succeeds() {
    let database = Database::make().await;
    let world = first_on(&database).await;
    let parameters = Parameters::read("client_id=tv&scope=notes:read:*").unwrap();
    let codes = world.grants.authorize_device(&parameters, ClientProof::Id("tv"), ADDRESS).await.ok().unwrap();
    let mut pressed = Vec::new();
    for name in ["ann", "bob"] {
        let session = world.person(name, &["zap"], &[]).await;
        let request = world.grants.device_request(&session, ADDRESS, &SentCode::typed(&codes.user_code)).await.unwrap();
        let form = world.form(&session, &request).await;
        pressed.push((session, request, form));
    }
    let (other, _) = second_on(&database, &world).await;
    let sessions = [pressed[0].0.clone(), pressed[1].0.clone()];
    let nodes = [Arc::new(world.grants), other];
    let pressed = Arc::new(pressed);
    let answers = at_once(nodes.clone(), |node, number| {
        let pressed = Arc::clone(&pressed);
        async move {
            let (session, request, form) = &pressed[number % 2];
            (number % 2, node.grant(session, request, form, |_| ()).await.map(|granted| granted.id))
        }
    })
    .await;
    let given: Vec<_> = answers.iter().filter_map(|(person, answer)| answer.as_ref().ok().map(|grant| (*person, grant.clone()))).collect();
    assert!(!given.is_empty() && given.iter().all(|answer| *answer == given[0]), "{answers:?}");
    let refused = answers.iter().filter_map(|(_, answer)| answer.as_ref().err());
    assert!(refused.clone().all(|error| matches!(error, GrantError::DeviceGone | GrantError::Login(_))), "{answers:?}");
    for node in &nodes {
        for (person, session) in sessions.iter().enumerate() {
            let living: Vec<_> =
                node.grants_of(session).await.unwrap().into_iter().filter(|grant| grant.record.revoked_ms.is_none()).collect();
            assert_eq!(living.len(), usize::from(person == given[0].0), "a grant without a device ends");
        }
    }

    let poll = format!("grant_type=urn:ietf:params:oauth:grant-type:device_code&device_code={}", codes.device_code);
    let answers = at_once(nodes.clone(), |node, _| {
        let poll = Parameters::read(&poll).unwrap();
        async move { node.token(&poll, ClientProof::Id("tv"), SentProof::NONE).await }
    })
    .await;
    one_of_many_and_nothing_in_the_end(&nodes, &answers).await;
}

/// One press is one grant, however often it arrives.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn of_64_arrivals_of_one_press_there_is_one_grant() {
    let database = Database::make().await;
    let world = first_on(&database).await;
    let ann = world.ann().await;
    let request = super::asks("&scope=notes:read:zap/*");
    let form = world.form(&ann, &request).await;
    let (other, _) = second_on(&database, &world).await;
    let nodes = [Arc::new(world.grants), other];
    let shared = Arc::new((ann.clone(), request, form));
    let answers = at_once(nodes.clone(), |node, _| {
        let shared = Arc::clone(&shared);
        async move { node.grant(&shared.0, &shared.1, &shared.2, |_| ()).await.map(|granted| granted.id) }
    })
    .await;
    let first = answers[0].as_ref().unwrap();
    assert!(answers.iter().all(|answer| answer.as_ref() == Ok(first)), "{answers:?}");
    for node in &nodes {
        assert_eq!(node.grants_of(&ann).await.unwrap().len(), 1);
    }
}

/// Story: each of two servers found room for one more, and both made it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn the_bound_of_derived_grants_holds_on_two_servers() {
    const ROOM: usize = 7;
    let database = Database::make().await;
    let world = first_on(&database).await;
    world.ann().await;
    let new = NewGrant {
        identity: "local/ann".to_owned(),
        signed_in_by: "local/ann".to_owned(),
        host: "notes.example.com".to_owned(),
        target: "https://notes.example.com/".to_owned(),
        target_origin: "https://notes.example.com".to_owned(),
        scopes: ScopeSet::new(["notes:read:zap/*"]),
        everything: false,
        identity_for: Vec::new(),
        expires_ms: START_MS + DAY_MS,
        nonce: String::new(),
        choices: String::new(),
        name: None,
        label: String::new(),
        application: None,
        purpose: None,
        widens: None,
    };
    let parent = world.auth.add_grant(new).await.unwrap().grant.id;
    let wish = NewDerivedGrant { scopes: vec!["notes:read:zap/*".to_owned()], expires_ms: None, purpose: None };
    for _ in 0..MOST_DERIVED_GRANTS as usize - ROOM {
        world.auth.derive_from(&parent, &wish).await.unwrap();
    }
    let (_, other) = second_on(&database, &world).await;
    let answers = at_once([world.auth.clone(), other], |auth, _| {
        let (parent, wish) = (parent.clone(), wish.clone());
        async move { auth.derive_from(&parent, &wish).await.map(drop) }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), ROOM, "{answers:?}");
    let refused = answers.iter().filter_map(|answer| answer.as_ref().err());
    assert!(refused.clone().all(|error| matches!(error, ApiError::RequestConflict(_))), "{answers:?}");
}

/// A person has the page of a request for more open four times, and presses on two servers: Grant in some, Refuse in others. One of them is the answer, and what the others
/// made is over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn of_64_answers_to_a_request_for_more_one_counts() {
    let database = Database::make().await;
    let world = first_on(&database).await;
    let ann = world.ann().await;
    let exchange = code_for(&world, &ann, "&scope=notes:read:zap/red").await;
    let issued = world.grants.token(&exchange, ClientProof::Id("notes"), SentProof::NONE).await.ok().unwrap();
    let kind = "urn:ietf:params:oauth:token-type:access_token";
    let asked = format!("subject_token={}&subject_token_type={kind}&scope=notes:read:zap/blue&reason=Blue+too", issued.token);
    let server = ServerAddress { authority: "auth.example.com", origin: "https://auth.example.com" };
    let asked = Parameters::read(&asked).unwrap();
    let waiting = world.grants.request_more_by_token(&asked, ClientProof::Id("notes"), SentProof::NONE, server).await;
    let id = waiting.ok().unwrap().id;
    let request = world.grants.widening_request(&ann, &id).await.unwrap();
    let mut forms = Vec::new();
    for _ in 0..4 {
        forms.push(world.form(&ann, &request).await);
    }
    let (other, _) = second_on(&database, &world).await;
    let nodes = [Arc::new(world.grants), other];
    let pressed = Arc::new((ann, request, forms));
    let answers = at_once(nodes.clone(), |node, number| {
        let (pressed, id) = (Arc::clone(&pressed), id.clone());
        async move {
            let (ann, request, forms) = &*pressed;
            // Two in a row, so that each is pressed on either server.
            if number / 2 % 2 == 0 {
                node.grant(ann, request, &forms[number / 4 % 4], |_| ()).await.map(|granted| Some(granted.id))
            } else {
                node.refuse_widening(ann, &id).await.map(|()| None).map_err(GrantError::from)
            }
        }
    })
    .await;
    let counted: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().ok()).collect();
    let Some(answer) = counted.first() else { panic!("{answers:?}") };
    assert!(counted.iter().all(|other| other == answer) && (answer.is_some() || counted.len() == 1), "{answers:?}");
    let is_gone = |error: &GrantError| {
        matches!(
            error,
            GrantError::RequestGone | GrantError::Revoked | GrantError::Login(LoginError::NotFound(_) | LoginError::Conflict(_))
        )
    };
    assert!(answers.iter().filter_map(|answer| answer.as_ref().err()).all(is_gone), "{answers:?}");
    for node in &nodes {
        let living = node.grants_of(&pressed.0).await.unwrap().into_iter().filter(|grant| grant.record.revoked_ms.is_none());
        let more: Vec<_> = living.filter(|grant| grant.record.widens.is_some()).map(|grant| grant.record.id).collect();
        assert_eq!(more, answer.iter().cloned().collect::<Vec<_>>(), "nothing that nobody comes for is left");
    }
}
