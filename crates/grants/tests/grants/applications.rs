//! Registered applications: what is refused at start, and what a code comes to.

use falconer_grants::{
    ApplicationKind, ApplicationSettings, ClientProof, ExchangeError, GrantSettings, Grants, IssuedToken, Parameters, SentProof,
    ShownToken, SigningAlgorithm, encode_component,
};
use falconer_login::{LoginError, Session, pkce_challenge};

use super::common::{DAY_MS, World};
use super::{failure, success};

pub(super) const VERIFIER: &str = "a-verifier-of-at-least-43-characters-as-RFC-7636-says";

pub(super) fn notes() -> ApplicationSettings {
    ApplicationSettings {
        id: "notes".to_owned(),
        name: "Notes".to_owned(),
        owner: String::new(),
        redirect_uris: vec!["https://notes.example.com/cb".to_owned()],
        scopes: vec!["notes:read:*".to_owned()],
        max_life_ms: DAY_MS,
        kind: ApplicationKind::Public,
        secret_sha256: None,
        agent: false,
        keys: Vec::new(),
        device: false,
        remember_ms: 0,
        skip_consent: false,
        dpop_bound_access_tokens: false,
        pushed_only: false,
        id_token_alg: SigningAlgorithm::Es256,
        backchannel_logout_uri: String::new(),
    }
}

pub(super) fn settings(applications: Vec<ApplicationSettings>) -> GrantSettings {
    GrantSettings { applications, ..GrantSettings::default() }
}

#[tokio::test]
async fn a_code_comes_to_credentials_that_work_and_end() {
    let world = World::with(settings(vec![notes()])).await;
    let ann = world.ann().await;
    let query = format!(
        "response_type=code&client_id=notes&redirect_uri=https%3A%2F%2Fnotes.example.com%2Fcb&code_challenge={}&code_challenge_method=S256&expires=7+days",
        pkce_challenge(VERIFIER)
    );
    let request = world.grants.authorization(&query, "https://auth.example.com").unwrap();
    assert_eq!(
        world.grants.authorization(request.canonical_query(), "https://auth.example.com").unwrap(),
        request,
        "it is carried through sign-in"
    );
    let offer = world.grants.offer(&ann, &request).await.unwrap();
    assert_eq!((offer.registered_name.as_deref(), offer.needs_host_typed), (Some("Notes"), false));
    assert!(offer.lifetimes.iter().all(|life| life.ms <= DAY_MS), "no longer than the application may have it");
    let form = world.form(&ann, &request).await;
    let granted = world.grants.grant(&ann, &request, &form, |_| ()).await.unwrap();
    let code = granted.location.split_once("code=").unwrap().1.split('&').next().unwrap().to_owned();
    let exchange = format!("grant_type=authorization_code&code={code}&redirect_uri=https://notes.example.com/cb&code_verifier={VERIFIER}");
    let issued = world.grants.token(&Parameters::read(&exchange).unwrap(), ClientProof::Id("notes"), SentProof::NONE).await.ok().unwrap();
    let got = world.grants.credentials(&ShownToken::bearer(&issued.token)).await.ok().unwrap();
    let [id, token, certificate] = [&got.client_id, &got.access_token, &got.certificate].map(|text| encode_component(text));
    let delivered = format!("https://x/?clientId={id}&accessToken={token}&certificate={certificate}");
    let verified_scopes = success(world.verify(&delivered, "notes.example.com").await);
    assert_eq!(verified_scopes.scopes.to_vec(), ["auth:current-scopes", "notes:read:zap/*"], "what ann has of it");
    assert_eq!(got.renew_ms, granted.expires_ms - 30_000);
    // Used once more: what it gave is worth nothing at the next request.
    let replayed = world.grants.token(&Parameters::read(&exchange).unwrap(), ClientProof::Id("notes"), SentProof::NONE).await;
    assert_eq!(replayed.err().unwrap().to_string(), "Invalid authorization code");
    let ended = failure(world.verify(&delivered, "notes.example.com").await);
    assert_eq!(ended, format!("The grant {} has been revoked", granted.id));
    let record = &world.grants.grants_of(&ann).await.unwrap()[0].record;
    assert_eq!(record.reason.as_deref(), Some("its authorization code was used more than once"));
}

pub(super) fn query(application: &str, redirect_uri: &str) -> String {
    let (uri, challenge) = (encode_component(redirect_uri), pkce_challenge(VERIFIER));
    format!("response_type=code&client_id={application}&redirect_uri={uri}&code_challenge={challenge}&code_challenge_method=S256")
}

/// The exchange of a code that ann, who is new, has just granted to `notes`.
pub(super) async fn code(world: &World) -> Parameters {
    code_of(world, &world.ann().await).await
}

pub(super) async fn code_of(world: &World, person: &Session) -> Parameters {
    code_for(world, person, "").await
}

/// The same for a request with this behind it.
pub(super) async fn code_for(world: &World, person: &Session, more: &str) -> Parameters {
    let requested = format!("{}{more}", query("notes", "https://notes.example.com/cb"));
    let request = world.grants.authorization(&requested, "https://auth.example.com").unwrap();
    let form = world.form(person, &request).await;
    let granted = world.grants.grant(person, &request, &form, |_| ()).await.unwrap();
    let code = granted.location.split_once("code=").unwrap().1.split('&').next().unwrap();
    let exchange = format!("grant_type=authorization_code&code={code}&redirect_uri=https://notes.example.com/cb&code_verifier={VERIFIER}");
    Parameters::read(&exchange).unwrap()
}

async fn token(world: &World) -> IssuedToken {
    let exchange = code(world).await;
    world.grants.token(&exchange, ClientProof::Id("notes"), SentProof::NONE).await.ok().unwrap()
}

/// What an application is registered for may be longer than an address, and than what a sign-in with a provider carries along.
#[tokio::test]
async fn a_request_without_scopes_is_carried_through_sign_in_without_them() {
    let many = (0..200).map(|number| format!("notes:read:of-a-project-with-a-long-name/{number}")).collect();
    let world = World::with(settings(vec![ApplicationSettings { scopes: many, ..notes() }])).await;
    for scope in ["", "&scope=", "&scope=%20"] {
        let requested = format!("{}{scope}", query("notes", "https://notes.example.com/cb"));
        let request = world.grants.authorization(&requested, "https://auth.example.com").unwrap();
        assert_eq!(request.scopes.len(), 200);
        assert!(request.canonical_query().len() < 300, "{} bytes", request.canonical_query().len());
        assert_eq!(world.grants.authorization(request.canonical_query(), "https://auth.example.com").unwrap(), request);
    }
}

/// An administrator took it out of the configuration.
#[tokio::test]
async fn an_application_that_is_registered_no_longer_gets_nothing() {
    let world = World::with(settings(vec![notes()])).await;
    let issued = token(&world).await;
    assert!(world.grants.credentials(&ShownToken::bearer(&issued.token)).await.is_ok());
    let after = Grants::open(world.auth.clone(), world.login.clone(), world.store.clone(), GrantSettings::default()).unwrap();
    assert_eq!(after.credentials(&ShownToken::bearer(&issued.token)).await.err().unwrap(), ExchangeError::InvalidToken);
}

/// What has ended would count again.
#[tokio::test]
async fn nothing_is_exchanged_while_the_clock_is_behind() {
    let world = World::with(settings(vec![notes()])).await;
    let issued = token(&world).await;
    let other = World::with(settings(vec![notes()])).await;
    let exchange = code(&other).await;
    world.clock.advance(-61_000);
    other.clock.advance(-61_000);
    let behind = ExchangeError::Login(LoginError::ClockBehind { behind_ms: 61_000 });
    assert_eq!(world.grants.credentials(&ShownToken::bearer(&issued.token)).await.err().unwrap(), behind);
    assert_eq!(other.grants.token(&exchange, ClientProof::Id("notes"), SentProof::NONE).await.err().unwrap(), behind);
    other.clock.advance(61_000);
    assert!(other.grants.token(&exchange, ClientProof::Id("notes"), SentProof::NONE).await.is_ok(), "the code was not used by it");
}

#[tokio::test]
async fn an_application_that_can_be_none_is_refused_at_start() {
    let world = World::new().await;
    let hash = "a".repeat(64);
    let uri = |uri: &str| ApplicationSettings { redirect_uris: vec![uri.to_owned()], ..notes() };
    let confidential =
        |hash: Option<&str>| ApplicationSettings { kind: ApplicationKind::Confidential, secret_sha256: hash.map(str::to_owned), ..notes() };
    let own = format!("{}/cb", "https://auth.example.com");
    for (settings, said) in [
        (vec![ApplicationSettings { id: String::new(), ..notes() }], "id: write 1 to 100"),
        (vec![ApplicationSettings { id: "no tes".to_owned(), ..notes() }], "id: write 1 to 100"),
        (vec![ApplicationSettings { id: "n".repeat(101), ..notes() }], "id: write 1 to 100"),
        (vec![ApplicationSettings { name: " ".to_owned(), ..notes() }], "name: write"),
        (vec![ApplicationSettings { name: "a\u{7}".to_owned(), ..notes() }], "name: write"),
        (vec![notes(), notes()], "there are two of this id"),
        (vec![ApplicationSettings { redirect_uris: vec![], ..notes() }], "redirect_uris: give 1 to 20"),
        (vec![uri("http://notes.example.com/cb")], "not a loopback host"),
        (vec![uri("https://notes.example.com/cb#")], "has no fragment"),
        (vec![uri("https://notes.example.com/cb#x")], "has no fragment"),
        (vec![uri("https://notes.example.com/cb?state=1")], "`state` is for the answer"),
        (vec![uri("https://notes.example.com/cb?c%6fde=1")], "`code` is for the answer"),
        (vec![uri("https://notes.example.com/cb?token_type=x")], "`token_type` is for the answer"),
        (vec![uri("https://user@notes.example.com/cb")], "user name"),
        (vec![uri("com.example.app:/cb")], "must begin with https://"),
        (vec![uri("https://*.example.com/cb")], "a host name has no `*`"),
        (vec![uri(&own)], "that is Falconer itself"),
        (vec![ApplicationSettings { redirect_uris: vec!["https://notes.example.com/cb".to_owned(); 2], ..notes() }], "it is there twice"),
        (vec![ApplicationSettings { scopes: vec![], ..notes() }], "scopes: give 1 to 200"),
        (vec![ApplicationSettings { scopes: vec!["a\n".to_owned()], ..notes() }], "is not a scope"),
        (vec![ApplicationSettings { scopes: vec![String::new()], ..notes() }], "is not a scope"),
        (vec![ApplicationSettings { max_life_ms: 31 * DAY_MS + 1, ..notes() }], "at most 31 days"),
        (vec![ApplicationSettings { max_life_ms: 0, ..notes() }], "more than nothing"),
        (vec![ApplicationSettings { remember_ms: 90 * DAY_MS + 1, ..notes() }], "remember_consent: consent is remembered for 90 days"),
        (vec![ApplicationSettings { remember_ms: 1, ..uri("http://127.0.0.1/cb") }], "remember_consent: a public application on"),
        (vec![ApplicationSettings { skip_consent: true, ..uri("http://127.0.0.1/cb") }], "skip_consent: a public application on"),
        (vec![ApplicationSettings { skip_consent: true, kind: ApplicationKind::ReferenceCode, ..notes() }], "has no PKCE"),
        (vec![ApplicationSettings { skip_consent: true, scopes: vec!["*".to_owned()], ..notes() }], "skip_consent: * is broad"),
        (vec![confidential(None)], "needs one"),
        (vec![confidential(Some("the secret itself"))], "never the secret"),
        (vec![confidential(Some(&hash.to_uppercase()))], "never the secret"),
        (vec![ApplicationSettings { secret_sha256: Some(hash.clone()), ..notes() }], "the kind `public` has no secret"),
    ] {
        let refused = Grants::open(
            world.auth.clone(),
            world.login.clone(),
            world.store.clone(),
            GrantSettings { applications: settings, ..GrantSettings::default() },
        );
        let error = refused.err().unwrap_or_else(|| panic!("{said}")).to_string();
        assert!(error.starts_with("[[application]] ") && error.contains(said), "{said}: {error}");
    }
    let fine = vec![confidential(Some(&hash)), ApplicationSettings { id: "other".to_owned(), ..uri("http://[::1]/cb?a=b") }];
    assert!(Grants::open(world.auth.clone(), world.login.clone(), world.store.clone(), settings(fine)).is_ok());
}
