//! A server whose key file does not have the newest key yet, beside one that has it.

use falconer_auth::{AccessToken, AuthSettings, Batch, BatchClient, ClientInput, Outcome, StaticClient};

use super::*;

const STATIC: &str = "static/a";

/// A world whose node lacks the key that seals at the other one, and that other one's store.
struct TwoKeys {
    world: World,
    other: Arc<dyn Store>,
    folder: tempfile::TempDir,
}

impl TwoKeys {
    async fn new() -> TwoKeys {
        let folder = tempfile::tempdir().unwrap();
        let mut world = World::bare().await;
        world.auth = Auth::open(store(folder.path(), false), settings(), world.clock.clone(), world.random.clone()).await.unwrap();
        let root = world.auth.fresh_install(true).await.unwrap();
        world.root = common::Keys::new(&root.client_id, root.access_token.expose());
        let other = store(folder.path(), true);
        TwoKeys { world, other, folder }
    }

    /// A client of the other node, with a token that does not open at the first one, and one before it.
    async fn client(&self, id: &str) -> ClientRecord {
        let mut record = self.other.client("static/falconer/root").await.unwrap().unwrap();
        record.client_id = id.to_owned();
        record.access_token = Secret::new("token");
        record.old_token = Some(OldToken { token: Secret::new("old"), ends_ms: START_MS + 1_000_000 });
        record.revoked = revoked();
        beside(&*self.other, Write::InsertClient(record.clone())).await.unwrap();
        self.world.auth.catch_up().await.unwrap();
        record
    }

    async fn open(&self, has_newest: bool, settings: AuthSettings) -> Auth {
        let store = store(self.folder.path(), has_newest);
        Auth::open(store, settings, self.world.clock.clone(), self.world.random.clone()).await.unwrap()
    }
}

fn store(folder: &Path, has_newest: bool) -> Arc<dyn Store> {
    let mut keys = KeyRing::from_bytes("k1", [7; 32]).unwrap();
    if has_newest {
        keys.push("k2", [8; 32]).unwrap();
    }
    let random = Counting::default();
    let fill = Arc::new(move |bytes: &mut [u8]| random.fill(bytes));
    Arc::new(SqliteStore::open_beside(&folder.join("a.sqlite"), keys, fill).unwrap())
}

fn revoked() -> RevokedCertificates {
    RevokedCertificates { before_ms: Some(START_MS - 1), ..RevokedCertificates::default() }
}

fn with_static(token: &str) -> AuthSettings {
    let client = StaticClient {
        client_id: STATIC.to_owned(),
        description: String::new(),
        access_token: AccessToken::new(token.to_owned()),
        scopes: Vec::new(),
    };
    AuthSettings { static_clients: vec![client], ..settings() }
}

/// The record just as it is, with this token.
fn as_it_is(record: &ClientRecord, access_token: Option<&str>) -> BatchClient {
    BatchClient {
        client_id: record.client_id.clone(),
        expires_us: record.expires_us,
        description: record.description.clone(),
        scopes: record.scopes.clone(),
        delete_on_expiration: record.delete_on_expiration,
        disabled: None,
        access_token: access_token.map(Secret::new),
    }
}

/// Story: a server that lacked the key of a client's tokens answered 200 with a text that nobody knows as its token, let that go on as the old one in place of the real one,
/// and said that an old token had ended which went on counting at all others.
#[tokio::test]
async fn what_does_not_open_is_neither_shown_nor_said_to_be_nothing() {
    let keys = TwoKeys::new().await;
    let (world, other) = (&keys.world, &keys.other);
    let record = keys.client("c").await;
    let who = world.as_root().await;
    let refused = Some(ApiError::TokenNotOpened { client_id: "c".to_owned() });
    assert_eq!(world.auth.reset_access_token_keeping(&who, "c", 1000).await.err(), refused);
    let input = ClientInput {
        expires_us: record.expires_us,
        description: record.description.clone(),
        scopes: Some(record.scopes.clone()),
        delete_on_expiration: record.delete_on_expiration,
    };
    assert_eq!(world.auth.create_client(&who, "c", &input).await.err(), refused, "the same once more");
    let batch = Batch { roles: Vec::new(), clients: vec![as_it_is(&record, None)] };
    assert_eq!(world.auth.import(&who, &batch).await.err().map(|error| error.error), refused);
    assert_eq!(other.client("c").await.unwrap().unwrap(), record, "nothing was changed");
    world.auth.end_old_access_token(&who, "c").await.unwrap();
    let ended = other.client("c").await.unwrap().unwrap();
    assert_eq!((ended.old_token, ended.access_token), (None, Secret::new("token")), "it has ended everywhere, and no other");
    let (reset, _) = world.auth.reset_access_token(&who, "c").await.unwrap();
    assert_eq!(other.client("c").await.unwrap().unwrap().access_token, reset.access_token.unwrap());
}

/// Story: a token that did not open was taken for another one than the same token that was given again. What was revoked of its certificates counted again, the old token
/// ended, and both at all servers.
#[tokio::test]
async fn a_token_that_does_not_open_is_not_known_to_be_another_one() {
    let keys = TwoKeys::new().await;
    let (world, other) = (&keys.world, &keys.other);
    let record = keys.client("c").await;
    let (who, refused) = (world.as_root().await, ApiError::TokenNotOpened { client_id: "c".to_owned() });
    let changed = BatchClient { description: "another".to_owned(), ..as_it_is(&record, Some("token")) };
    for client in [as_it_is(&record, Some("token")), as_it_is(&record, Some("another")), changed] {
        assert_eq!(world.auth.put_client(&who, &client).await.err(), Some(refused.clone()));
        let batch = Batch { roles: Vec::new(), clients: vec![client] };
        assert_eq!(world.auth.import(&who, &batch).await.err().map(|fault| fault.error), Some(refused.clone()));
    }
    assert_eq!(other.client("c").await.unwrap().unwrap(), record, "nothing was changed");
    // Nobody learns of it who may not ask.
    let nobody = world.auth.nobody();
    let fault = world.auth.put_client(&nobody, &as_it_is(&record, Some("token"))).await.err();
    assert!(matches!(fault, Some(ApiError::InsufficientScopes { .. })), "{fault:?}");
    // Where the key is, the same is told.
    let auth = keys.open(true, settings()).await;
    let (view, outcome, _) = auth.put_client(&who, &as_it_is(&record, Some("token"))).await.unwrap();
    assert_eq!((view.client_id.as_str(), outcome), ("c", Outcome::Unchanged));
}

/// Story: the start of such a server forgot what had been revoked of the clients of the configuration, and all other servers took those certificates again.
#[tokio::test]
async fn what_was_revoked_of_a_static_client_outlives_a_start_without_its_key() {
    let keys = TwoKeys::new().await;
    drop(keys.open(true, with_static("a-token-of-the-configuration")).await);
    let stored = async || keys.other.client(STATIC).await.unwrap().unwrap();
    let mut record = stored().await;
    record.revoked = revoked();
    beside(&*keys.other, Write::UpdateClient(record.clone())).await.unwrap();
    keys.world.clock.advance(1000);
    drop(keys.open(false, with_static("a-token-of-the-configuration")).await);
    let after = stored().await;
    assert_eq!((&after.revoked, after.last_rotated_ms), (&record.revoked, record.last_rotated_ms));
    assert_eq!(after.access_token, record.access_token, "it counts here and there");
    // A token that is known to be another one begins anew.
    drop(keys.open(true, with_static("another-token-of-the-configuration")).await);
    let other = stored().await;
    assert_eq!((&other.revoked, other.last_rotated_ms), (&RevokedCertificates::default(), START_MS + 1000));
}
