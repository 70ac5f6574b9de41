//! Clients that were made with a grant end with it, however it ends: at the same revision, on each node, with all that they have signed.

use falconer_auth::{Auth, By, DAY_MS, HOUR_MS, NewDerivedGrant, NewGrant, RequestParts, Verdict};
use falconer_store::{IdentityRecord, KeyKind};

use crate::common::{Keys, World, new_grant, person, settings, strings};

const ANN: &str = "local/ann";
const SCOPES: [&str; 2] = ["a", "auth:create-client:made/*"];

/// A person, a grant of theirs, one that was derived from it, and what was made with both.
struct Scene {
    world: World,
    /// The ids of the grant and of the one that was derived from it.
    grant: String,
    derived: String,
    keys: Keys,
    /// A client made with the grant, one made with that client's credentials, temporary credentials of the first, and a client made with the derived grant.
    made: Vec<Keys>,
}

impl Scene {
    async fn new() -> Scene {
        let world = World::bare().await;
        world.person(ANN, &SCOPES).await;
        let issued = world.auth.add_grant(NewGrant { nonce: "form".to_owned(), ..new_grant(ANN, &SCOPES, world.now()) }).await.unwrap();
        let (grant, keys) = (issued.grant.id, with_certificate(issued.credentials));
        let first = made(&world, &keys, "made/first").await;
        let second = made(&world, &first, "made/second").await;
        let (start_ms, end_ms) = (world.now(), world.now() + 30 * DAY_MS);
        let temporary =
            falconer_credentials::temporary::create(&first.id, &first.token, None, &strings(&["a"]), start_ms, end_ms, &"s".repeat(44))
                .unwrap();
        let wish = NewDerivedGrant { scopes: strings(&SCOPES), expires_ms: None, purpose: None };
        let issued = world.auth.derive_grant(&world.call(&keys).await, &wish).await.unwrap();
        let (derived, of_derived) = (issued.grant.id, with_certificate(issued.credentials));
        let third = made(&world, &of_derived, "made/third").await;
        Scene { world, grant, derived, keys, made: vec![first, second, with_certificate(temporary), third] }
    }

    /// Whether each may `a`, on this node, on one that follows it, and on one that starts.
    async fn may(&self, follower: &Auth) -> Vec<[bool; 3]> {
        follower.catch_up().await.unwrap();
        let started = self.world.reopen(settings()).await;
        let mut all = Vec::new();
        for keys in &self.made {
            let mut one = [false; 3];
            for (may, node) in one.iter_mut().zip([&self.world.auth, follower, &started]) {
                let header = self.world.sign(keys, "/x", "svc.example.com", 443, None);
                let parts =
                    RequestParts { method: "get", resource: "/x", host: "svc.example.com", port: 443, authorization: Some(&header) };
                *may = matches!(node.verify(&parts).await, Verdict::Success(success) if success.scopes.satisfies("a"));
            }
            all.push(one);
        }
        all
    }

    /// What was changed by the last step: one revision, in which the grants end, and no client is touched.
    async fn changed_last(&self) -> Vec<(KeyKind, String)> {
        let last = self.world.store.revision().await.unwrap();
        let changes = self.world.store.changes_since(falconer_store::Revision(last.0 - 1), 100).await.unwrap();
        changes.into_iter().map(|change| (change.key_kind, change.key)).collect()
    }
}

fn with_certificate(credentials: falconer_auth::Temporary) -> Keys {
    Keys { id: credentials.client_id, token: credentials.access_token, certificate: Some(credentials.certificate) }
}

async fn made(world: &World, by: &Keys, id: &str) -> Keys {
    let who = world.call(by).await;
    let (view, _) = world.auth.create_client(&who, id, &world.input(&SCOPES)).await.unwrap();
    Keys::new(id, view.access_token.unwrap().expose())
}

/// Ways in which a grant ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    ByThePerson,
    ByAnAdministrator,
    WithOthers,
    ByItsOwnCredentials,
    ReplacedByTheForm,
    ItsTime,
    ThePersonIsDisabled,
    TheirProviderSaysSo,
}

impl End {
    const ALL: [End; 8] = [
        End::ByThePerson,
        End::ByAnAdministrator,
        End::WithOthers,
        End::ByItsOwnCredentials,
        End::ReplacedByTheForm,
        End::ItsTime,
        End::ThePersonIsDisabled,
        End::TheirProviderSaysSo,
    ];

    async fn happens(self, Scene { world, grant, keys, .. }: &Scene) {
        let root = world.as_root().await;
        let auth = &world.auth;
        match self {
            End::ByThePerson => {
                auth.revoke_grants(&[ANN], ANN, std::slice::from_ref(grant), "x").await.unwrap();
            }
            End::ByAnAdministrator => {
                auth.revoke_grant_of_person(By::Caller { who: &root, verb: "revoke-grants-of" }, ANN, grant, "x").await.unwrap();
            }
            End::WithOthers => {
                let other = auth.add_grant(new_grant(ANN, &["a"], world.now())).await.unwrap().grant.id;
                auth.revoke_grants(&[ANN], ANN, &[other, grant.clone()], "all of a site").await.unwrap();
            }
            End::ByItsOwnCredentials => {
                auth.end_own_grant(&world.call(keys).await).await.unwrap();
            }
            End::ReplacedByTheForm => {
                let other = NewGrant { nonce: "form".to_owned(), choices: "others".to_owned(), ..new_grant(ANN, &["a"], world.now()) };
                auth.add_grant(other).await.unwrap();
            }
            End::ItsTime => world.clock.advance(DAY_MS),
            End::ThePersonIsDisabled => {
                auth.disable_person(By::Caller { who: &root, verb: "disable" }, ANN, true).await.unwrap();
            }
            End::TheirProviderSaysSo => {
                let gone = IdentityRecord { disabled: true, ..person(ANN, &SCOPES, world.now()) };
                auth.put_identity(ANN, &gone).await.unwrap();
            }
        }
    }

    /// Whether both grants are written to, and nothing but them.
    fn revokes(self) -> bool {
        !matches!(self, End::ItsTime | End::ThePersonIsDisabled | End::TheirProviderSaysSo)
    }
}

#[tokio::test]
async fn they_end_with_it_however_it_ends() {
    for end in End::ALL {
        let scene = Scene::new().await;
        let world = &scene.world;
        let follower = world.reopen(settings()).await;
        assert_eq!(scene.may(&follower).await, [[true; 3]; 4], "{end:?}: before");
        end.happens(&scene).await;
        assert_eq!(scene.may(&follower).await, [[false; 3]; 4], "{end:?}");
        let changed = scene.changed_last().await;
        if end.revokes() {
            let of = |id: &String| changed.contains(&(KeyKind::Grant, id.clone()));
            assert!(of(&scene.grant) && of(&scene.derived), "{end:?}: in one revision: {changed:?}");
            assert!(changed.iter().all(|(kind, _)| *kind == KeyKind::Grant), "{end:?}: {changed:?}");
        }
        // Nobody has switched them off, so nobody brings them back by switching them on; they are worth nothing for as long as they carry the grant.
        let root = world.as_root().await;
        for id in ["made/first", "made/second", "made/third"] {
            let view = world.auth.client(&root, id).unwrap();
            assert!(!view.disabled && view.expanded_scopes.is_empty(), "{end:?}: {id}");
            world.auth.enable_client(&root, id).await.unwrap();
        }
        assert_eq!(scene.may(&follower).await, [[false; 3]; 4], "{end:?}: enabled");
        // Not even when nobody remembers the grant any more.
        world.clock.advance(400 * DAY_MS);
        world.store.prune_grants(world.now() - DAY_MS, 100).await.unwrap();
        assert!(world.store.grant(&scene.grant).await.unwrap().is_none());
        assert!(scene.may(&follower).await.iter().flatten().all(|may| !may), "{end:?}: forgotten");
    }
}

/// Whoever may give a client its scopes takes it over with a token of its own; nobody with less does.
#[tokio::test]
async fn one_is_taken_over_by_a_reset_of_somebody_who_could_have_made_it() {
    let scene = Scene::new().await;
    let world = &scene.world;
    let less = world.client("less", &["auth:reset-access-token:*"]).await;
    End::ByThePerson.happens(&scene).await;
    let (reset, _) = world.auth.reset_access_token(&world.call(&less).await, "made/first").await.unwrap();
    assert_eq!(reset.grant.as_ref(), Some(&scene.grant));
    let (reset, _) = world.auth.reset_access_token(&world.as_root().await, "made/first").await.unwrap();
    let own = Keys::new("made/first", reset.access_token.unwrap().expose());
    assert_eq!(reset.grant, None);
    assert!(matches!(world.verify(&own).await, Verdict::Success(success) if success.scopes.satisfies("a")));
}

/// The end of one that was derived takes along what was made with it, and leaves what was made with the one above.
#[tokio::test]
async fn the_end_of_a_derived_grant_leaves_what_was_made_above_it() {
    let scene = Scene::new().await;
    let world = &scene.world;
    let follower = world.reopen(settings()).await;
    world.auth.revoke_grants(&[ANN], ANN, std::slice::from_ref(&scene.derived), "x").await.unwrap();
    assert_eq!(scene.may(&follower).await, [[true; 3], [true; 3], [true; 3], [false; 3]]);
    // By its time, which is an hour where nothing is said.
    let scene = Scene::new().await;
    let follower = scene.world.reopen(settings()).await;
    scene.world.clock.advance(HOUR_MS - 1);
    assert_eq!(scene.may(&follower).await, [[true; 3]; 4]);
    scene.world.clock.advance(1);
    assert_eq!(scene.may(&follower).await, [[true; 3], [true; 3], [true; 3], [false; 3]]);
}
