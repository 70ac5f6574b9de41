//! Applications of the store: who may make one, what it may be, its secrets, and what it gets.

use falconer_auth::{ApiError, ApplicationInput, Authentication, Secret};
use falconer_grants::{
    ApplicationKind, ApplicationSettings, ClientProof, ExchangeError, GrantSettings, Parameters, PutApplication, SentProof, ShownToken,
    SigningAlgorithm,
};
use falconer_login::Session;

use super::applications::{VERIFIER, query};
use super::common::{DAY_MS, HOUR_MS, World};

const CALLBACK: &str = "https://reports.example.com/cb";

fn reports() -> ApplicationInput {
    ApplicationInput {
        name: "Reports".to_owned(),
        description: String::new(),
        owner: String::new(),
        redirect_uris: vec![CALLBACK.to_owned()],
        scopes: vec!["notes:read:*".to_owned()],
        max_life_ms: DAY_MS,
        confidential: true,
        remember_ms: 0,
        skip_consent: false,
        pushed_only: false,
        id_token_alg: SigningAlgorithm::default(),
        dpop_bound_access_tokens: false,
        keys: Vec::new(),
        agent: false,
        backchannel_logout_uri: String::new(),
    }
}

/// Somebody else than ann, who may do this.
async fn somebody(world: &World, name: &str, scopes: &[&str]) -> Authentication {
    let identity = format!("local/{name}");
    let mut record = world.auth.directory().identity("local/ann").unwrap().record.clone();
    record.identity.clone_from(&identity);
    record.subject = name.to_owned();
    record.person = format!("person-{name}");
    record.scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    world.auth.put_identity("test", &record).await.unwrap();
    Authentication::person(&identity)
}

async fn put(world: &World, who: &Authentication, id: &str, input: &ApplicationInput) -> Result<PutApplication, ApiError> {
    world.grants.put_application(who, id, input, None).await
}

fn status(outcome: Result<PutApplication, ApiError>) -> &'static str {
    match outcome {
        Ok(_) => "done",
        Err(ApiError::InsufficientScopes { .. }) => "403",
        Err(ApiError::RequestConflict(_)) => "409",
        Err(ApiError::InputError(_)) => "400",
        Err(ApiError::ResourceNotFound(_)) => "404",
        Err(other) => panic!("{other:?}"),
    }
}

/// What a code of ann's comes to with this secret.
async fn exchange(world: &World, ann: &Session, secret: &str) -> Result<(), ExchangeError> {
    let request = world.grants.authorization(&query("reports", CALLBACK), "https://auth.example.com").unwrap();
    let form = world.form(ann, &request).await;
    let granted = world.grants.grant(ann, &request, &form, |_| ()).await.unwrap();
    let code = granted.location.split_once("code=").unwrap().1.split('&').next().unwrap();
    let exchange = format!("grant_type=authorization_code&code={code}&redirect_uri={CALLBACK}&code_verifier={VERIFIER}");
    let proof = ClientProof::Secret { id: "reports", secret };
    let issued = world.grants.token(&Parameters::read(&exchange).unwrap(), proof, SentProof::NONE).await?;
    world.grants.credentials(&ShownToken::bearer(&issued.token)).await.map(drop)
}

#[tokio::test]
async fn an_application_of_the_store_gets_what_one_of_the_configuration_gets_until_it_is_deleted() {
    let world = World::new().await;
    let ann = world.ann().await;
    let root = somebody(&world, "root", &["auth:*", "notes:*"]).await;
    let asks = || world.grants.authorization(&query("reports", CALLBACK), "https://auth.example.com");
    assert!(asks().is_err());
    let created = put(&world, &root, "reports", &reports()).await.unwrap();
    let secret = created.secret.as_ref().map(Secret::expose).unwrap();
    assert!(secret.starts_with("falconer_as_") && secret.len() == 55, "{} characters", secret.len());
    assert_eq!(exchange(&world, &ann, secret).await, Ok(()));
    assert_eq!(exchange(&world, &ann, "falconer_as_guessed").await, Err(ExchangeError::InvalidClient));
    assert!(world.grants.has_application_at("https://reports.example.com") && !world.grants.has_application_at("https://example.com"));
    // The same once more changes nothing, and nobody is told the secret.
    let same = put(&world, &root, "reports", &reports()).await.unwrap();
    assert_eq!((same.secret, same.record), (None, created.record));
    assert!(asks().is_ok());
    world.grants.delete_application(&root, "reports", None).await.unwrap();
    assert!(asks().is_err() && !world.grants.has_application_at("https://reports.example.com"));
}

#[tokio::test]
async fn a_secret_counts_for_a_while_after_the_next_one() {
    let world = World::new().await;
    let ann = world.ann().await;
    let root = somebody(&world, "root", &["auth:*", "notes:*"]).await;
    let secret = |put: PutApplication| put.secret.unwrap();
    let first = secret(put(&world, &root, "reports", &reports()).await.unwrap());
    let second = secret(world.grants.reset_application_secret(&root, "reports", HOUR_MS).await.unwrap());
    world.clock.advance(HOUR_MS - 1);
    assert_eq!((exchange(&world, &ann, first.expose()).await, exchange(&world, &ann, second.expose()).await), (Ok(()), Ok(())));
    world.clock.advance(1);
    assert_eq!(exchange(&world, &ann, first.expose()).await, Err(ExchangeError::InvalidClient));
    let third = secret(world.grants.reset_application_secret(&root, "reports", 0).await.unwrap());
    assert_eq!(exchange(&world, &ann, second.expose()).await, Err(ExchangeError::InvalidClient));
    assert_eq!(exchange(&world, &ann, third.expose()).await, Ok(()));
    // One that becomes public has none, and gets another when it becomes confidential.
    put(&world, &root, "reports", &ApplicationInput { confidential: false, ..reports() }).await.unwrap();
    assert_eq!(exchange(&world, &ann, third.expose()).await, Err(ExchangeError::InvalidClient));
    let fourth = secret(put(&world, &root, "reports", &reports()).await.unwrap());
    assert_eq!(exchange(&world, &ann, fourth.expose()).await, Ok(()));
    let refused = world.grants.reset_application_secret(&root, "reports", 8 * DAY_MS).await;
    assert_eq!(status(refused), "400");
}

#[tokio::test]
async fn nobody_makes_an_application_ask_for_more_than_they_may_do() {
    let world = World::new().await;
    world.ann().await;
    let nobody = somebody(&world, "nobody", &["notes:read:*"]).await;
    let without = somebody(&world, "without", &["auth:create-application:reports", "notes:read:red"]).await;
    let with = somebody(&world, "with", &["auth:create-application:reports", "notes:read:*"]).await;
    let updates = somebody(&world, "updates", &["auth:update-application:*", "notes:read:red"]).await;
    assert_eq!(status(put(&world, &nobody, "reports", &reports()).await), "403");
    assert_eq!(status(put(&world, &without, "reports", &reports()).await), "403");
    assert_eq!(status(put(&world, &with, "other", &reports()).await), "403");
    assert_eq!(status(put(&world, &with, "reports", &reports()).await), "done");
    assert_eq!(status(put(&world, &with, "reports", &reports()).await), "403", "it is there, and changing it takes another scope");
    // Whoever lacks what it may ask for does not send its answers elsewhere, and gets no secret of it.
    let elsewhere = ApplicationInput { redirect_uris: vec!["https://elsewhere.example.com/".to_owned()], ..reports() };
    assert_eq!(status(put(&world, &updates, "reports", &elsewhere).await), "403");
    assert_eq!(status(world.grants.reset_application_secret(&updates, "reports", 0).await), "403");
    let narrower = ApplicationInput { scopes: vec!["notes:read:red".to_owned()], ..elsewhere };
    assert_eq!(status(put(&world, &updates, "reports", &narrower).await), "done");
    assert!(world.grants.delete_application(&updates, "reports", None).await.is_err());
}

#[tokio::test]
async fn an_owner_changes_what_is_theirs() {
    let world = World::new().await;
    world.ann().await;
    let root = somebody(&world, "root", &["auth:*", "notes:*"]).await;
    let owner = somebody(&world, "owner", &["notes:read:*"]).await;
    let poor = somebody(&world, "poor", &["notes:read:red"]).await;
    let of = |owner: &str| ApplicationInput { owner: owner.to_owned(), ..reports() };
    assert_eq!(status(put(&world, &root, "reports", &of("local/somebody-else")).await), "400", "nobody has it");
    put(&world, &root, "reports", &of("local/owner")).await.unwrap();
    assert_eq!(world.grants.application(&owner, "reports").unwrap().name, "Reports");
    assert!(world.grants.application(&poor, "reports").is_err());
    let renamed = ApplicationInput { name: "Renamed".to_owned(), ..of("local/owner") };
    assert_eq!(status(put(&world, &poor, "reports", &renamed).await), "403");
    assert_eq!(status(put(&world, &owner, "reports", &renamed).await), "done");
    assert_eq!(status(world.grants.reset_application_secret(&owner, "reports", 0).await), "done");
    let wider = ApplicationInput { scopes: vec!["notes:*".to_owned()], ..of("local/owner") };
    assert_eq!(status(put(&world, &owner, "reports", &wider).await), "403");
    let unasked = ApplicationInput { skip_consent: true, ..of("local/owner") };
    assert_eq!(status(put(&world, &owner, "reports", &unasked).await), "403", "that nobody is asked is an administrator's to say");
    assert_eq!(status(put(&world, &root, "reports", &unasked).await), "done");
    // An owner who lost what it may ask for can delete it, and no more.
    put(&world, &root, "reports", &of("local/poor")).await.unwrap();
    assert_eq!(status(put(&world, &poor, "reports", &ApplicationInput { owner: "local/poor".to_owned(), ..renamed }).await), "403");
    assert!(world.grants.delete_application(&poor, "reports", None).await.is_ok());
}

#[tokio::test]
async fn what_can_be_no_application_is_refused() {
    let configured = ApplicationSettings {
        id: "there".to_owned(),
        name: "There".to_owned(),
        owner: String::new(),
        redirect_uris: vec!["https://there.example.com/".to_owned()],
        scopes: vec!["notes:read:*".to_owned()],
        max_life_ms: DAY_MS,
        kind: ApplicationKind::Public,
        agent: false,
        keys: Vec::new(),
        device: false,
        remember_ms: 0,
        skip_consent: false,
        dpop_bound_access_tokens: false,
        pushed_only: false,
        id_token_alg: SigningAlgorithm::default(),
        backchannel_logout_uri: String::new(),
        secret_sha256: None,
    };
    let world = World::with(GrantSettings { applications: vec![configured], ..GrantSettings::default() }).await;
    world.ann().await;
    let root = somebody(&world, "root", &["auth:*", "notes:*", "assume:notes:*"]).await;
    assert_eq!(status(put(&world, &root, "there", &reports()).await), "409", "the configuration has one of this id");
    let uris = |uris: &[&str]| ApplicationInput { redirect_uris: uris.iter().map(|uri| (*uri).to_owned()).collect(), ..reports() };
    let loopback = ApplicationInput { confidential: false, skip_consent: true, ..uris(&["http://127.0.0.1/cb"]) };
    let broad = ApplicationInput { scopes: vec!["auth:create-role:*".to_owned()], skip_consent: true, ..reports() };
    for (what, input) in [
        ("no name", ApplicationInput { name: " ".to_owned(), ..reports() }),
        ("a long name", ApplicationInput { name: "n".repeat(101), ..reports() }),
        ("a long description", ApplicationInput { description: "d".repeat(2049), ..reports() }),
        ("no scopes", ApplicationInput { scopes: Vec::new(), ..reports() }),
        ("what is reserved", ApplicationInput { scopes: vec!["assume:grant:x".to_owned()], ..reports() }),
        ("no life", ApplicationInput { max_life_ms: 0, ..reports() }),
        ("a long life", ApplicationInput { max_life_ms: 32 * DAY_MS, ..reports() }),
        ("a long memory", ApplicationInput { remember_ms: 91 * DAY_MS, ..reports() }),
        ("no redirect URI", uris(&[])),
        ("a plain one", uris(&["http://reports.example.com/"])),
        ("a fragment", uris(&["https://reports.example.com/#x"])),
        ("one twice", uris(&[CALLBACK, CALLBACK])),
        ("too many", ApplicationInput { redirect_uris: (0..21).map(|n| format!("{CALLBACK}{n}")).collect(), ..reports() }),
        ("unasked on the person's machine", loopback),
        ("unasked for what is broad", broad),
    ] {
        assert_eq!(status(put(&world, &root, "reports", &input).await), "400", "{what}");
    }
    assert_eq!(status(put(&world, &root, "no id", &reports()).await), "400");
    let created = put(&world, &root, "reports", &reports()).await.unwrap();
    let seen = created.record.last_modified_ms;
    world.clock.advance(1);
    let other = ApplicationInput { name: "Other".to_owned(), ..reports() };
    assert_eq!(status(world.grants.put_application(&root, "reports", &other, Some(seen)).await), "done");
    assert_eq!(status(world.grants.put_application(&root, "reports", &reports(), Some(seen)).await), "409", "it was changed meanwhile");
}

/// Whoever asked for another secret was told all that the application may ask for.
#[tokio::test]
async fn nobody_learns_what_an_application_may_ask_for_by_asking_for_its_secret() {
    let world = World::new().await;
    world.ann().await;
    let root = somebody(&world, "root", &["auth:*", "notes:*"]).await;
    put(&world, &root, "reports", &reports()).await.unwrap();
    let nobody = somebody(&world, "nobody", &["other:scope"]).await;
    let Err(refused) = world.grants.reset_application_secret(&nobody, "reports", 0).await else { panic!("it was reset") };
    let said = refused.to_string();
    assert!(said.contains("auth:update-application:reports") && !said.contains("notes:read"), "{said}");
    // It is not told either whether there is one.
    let Err(refused) = world.grants.reset_application_secret(&nobody, "nothing", 0).await else { panic!("it was reset") };
    assert_eq!(refused.to_string(), said.replace(":reports", ":nothing"));
}
