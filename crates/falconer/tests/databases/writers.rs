//! Many writers at once against the real binary on each store: every acknowledgement is true.
//!
//! Each writer makes, changes, resets and deletes clients and roles, of which most are everybody's. Afterwards the acknowledged changes, in the
//! order of their `Falconer-Revision`, are replayed: they come to what the server has, as it runs and after a restart; each revision was given to one
//! change and none is missing; and the audit history of each entity is its changes in that order. `FALCONER_WRITES` is the number of changes that
//! each of the 64 writers tries.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use crate::support::place::Place;
use crate::support::{Init, Server};
use falconer_client::{Client, Method};
use serde_json::{Value, json};

const WRITERS: usize = 64;
/// Entities of each kind that every writer reaches for.
const SHARED: usize = 12;

fn writes() -> usize {
    std::env::var("FALCONER_WRITES").ok().and_then(|text| text.parse().ok()).unwrap_or(25)
}

/// What is asked for an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Create,
    Update,
    Reset,
    Delete,
}

/// A kind and an id.
type Entity = (&'static str, String);

/// A change that the server said has happened.
#[derive(Clone, Debug)]
struct Acknowledged {
    revision: u64,
    verb: Verb,
    entity: Entity,
    /// Of the description and the scopes that it was given.
    mark: String,
    /// What the answer said the access token is.
    token: Option<String>,
}

/// What an entity is after a change.
#[derive(Clone, Debug, PartialEq, Eq)]
struct State {
    mark: String,
    token: Option<String>,
}

/// Numbers that look random and are the same in every run: splitmix64.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(bound).unwrap()).unwrap()
    }
}

/// One writer: a connection of its own, so that all of them are under way at once.
struct Writer {
    number: usize,
    signer: Client,
    http: reqwest::Client,
    numbers: Numbers,
}

impl Writer {
    fn new(number: usize, server: &Server, init: &Init) -> Writer {
        Writer { number, signer: server.client(init), http: crate::support::http(), numbers: Numbers(u64::try_from(number).unwrap()) }
    }

    /// All its changes, one after the other; the answer is what was acknowledged and how many were refused.
    async fn write(mut self) -> (Vec<Acknowledged>, usize) {
        let (mut acknowledged, mut refused) = (Vec::new(), 0);
        for turn in 0..writes() {
            let kind = ["client", "role"][self.numbers.below(2)];
            let id = match self.numbers.below(4) {
                0 => format!("writers/{}/{}", self.number, self.numbers.below(4)),
                _ => format!("writers/shared/{}", self.numbers.below(SHARED)),
            };
            let verb = match self.numbers.below(10) {
                0..=3 => Verb::Create,
                4..=6 => Verb::Update,
                7 if kind == "client" => Verb::Reset,
                7 => Verb::Update,
                _ => Verb::Delete,
            };
            match self.ask(verb, (kind, id), format!("{}-{turn}", self.number)).await {
                Some(change) => acknowledged.push(change),
                None => refused += 1,
            }
        }
        (acknowledged, refused)
    }

    /// None where the server refused, which it may do for what is there or not there, and for nothing else.
    async fn ask(&self, verb: Verb, entity: Entity, mark: String) -> Option<Acknowledged> {
        let (kind, id) = &entity;
        let url = format!("{}/api/auth/v1/{kind}s/{}", self.signer.root_url(), falconer_wire::urls::encode_segment(id));
        let (method, url) = match verb {
            Verb::Create => (Method::PUT, url),
            Verb::Update => (Method::POST, url),
            Verb::Reset => (Method::POST, format!("{url}/reset")),
            Verb::Delete => (Method::DELETE, url),
        };
        let mut body = json!({ "description": mark, "scopes": [scope_of(&mark)] });
        if *kind == "client" {
            body["expires"] = json!("2100-01-01T00:00:00.000Z");
        }
        let mut request = self.http.request(method.clone(), &url);
        request = request.header("authorization", self.signer.authorization(&method, &url, None).unwrap().unwrap());
        if matches!(verb, Verb::Create | Verb::Update) {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await.expect("the server answers");
        let status = answer.status().as_u16();
        let revision = answer.headers().get("falconer-revision").map(|value| value.to_str().unwrap().parse().unwrap());
        let text = answer.text().await.unwrap();
        match (verb, status) {
            (_, 200) | (Verb::Delete, 204) => {}
            (Verb::Create, 409) | (Verb::Update | Verb::Reset, 404) => return None,
            _ => panic!("{verb:?} {entity:?}: {status} {text}"),
        }
        let said: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        if matches!(verb, Verb::Create | Verb::Update) {
            assert_eq!((&said["description"], &said["scopes"][0]), (&json!(mark), &json!(scope_of(&mark))), "{entity:?}");
        }
        let token = said["accessToken"].as_str().map(str::to_owned);
        let revision = revision.unwrap_or_else(|| panic!("{verb:?} {entity:?} has no revision"));
        Some(Acknowledged { revision, verb, entity, mark, token })
    }
}

fn scope_of(mark: &str) -> String {
    format!("written:{mark}")
}

/// What the acknowledged changes come to, and the actions on each entity in order.
///
/// A deletion of what is not there changes nothing: it has the revision that it found, and a row in the audit history.
fn replay(acknowledged: &[Acknowledged], base: u64) -> (BTreeMap<Entity, State>, BTreeMap<Entity, Vec<&'static str>>) {
    let mut by_revision: BTreeMap<u64, Vec<&Acknowledged>> = BTreeMap::new();
    for change in acknowledged {
        by_revision.entry(change.revision).or_default().push(change);
    }
    let (mut states, mut actions) = (BTreeMap::<Entity, State>::new(), BTreeMap::<Entity, Vec<&'static str>>::new());
    let mut expected = base;
    for (revision, changes) in by_revision {
        let is_change = |change: &&&Acknowledged| change.verb != Verb::Delete || states.contains_key(&change.entity);
        let real: Vec<&&Acknowledged> = changes.iter().filter(is_change).collect();
        let real = if revision == base {
            assert!(real.is_empty(), "a change has the revision of before: {real:?}");
            None
        } else {
            expected += 1;
            assert_eq!(revision, expected, "a revision is missing: a change was made that nobody was told of, or {changes:?} was not made");
            // Several deletions of one entity at one revision: the first of them changed it.
            let entities: BTreeSet<&Entity> = real.iter().map(|change| &change.entity).collect();
            assert!(
                real.len() == 1 || (entities.len() == 1 && real.iter().all(|change| change.verb == Verb::Delete)),
                "{revision}: {real:?}"
            );
            Some(**real.first().unwrap_or_else(|| panic!("{revision}: nothing of {changes:?} is a change")))
        };
        if let Some(change) = real {
            let before = states.remove(&change.entity);
            let token = change.token.clone().or_else(|| before.as_ref().and_then(|state| state.token.clone()));
            let after = match (change.verb, before) {
                (Verb::Create, None) | (Verb::Update, Some(_)) => Some(State { mark: change.mark.clone(), token }),
                (Verb::Reset, Some(before)) => Some(State { token, ..before }),
                (Verb::Delete, Some(_)) => None,
                (_, before) => panic!("{change:?} was acknowledged on top of {before:?}"),
            };
            if let Some(after) = after {
                states.insert(change.entity.clone(), after);
            }
            let action = match change.verb {
                Verb::Create => "created",
                Verb::Update => "updated",
                Verb::Reset => "access token reset",
                Verb::Delete => "deleted",
            };
            actions.entry(change.entity.clone()).or_default().push(action);
        }
        let repeats = changes.iter().filter(|change| real.is_none_or(|real| !std::ptr::eq(real, **change)));
        for repeat in repeats {
            assert_eq!(repeat.verb, Verb::Delete, "{repeat:?}");
            actions.entry(repeat.entity.clone()).or_default().push("deleted");
        }
    }
    (states, actions)
}

/// What the server has, without access tokens, which it does not tell again.
async fn found(client: &Client) -> BTreeMap<Entity, String> {
    let mut found = BTreeMap::new();
    for record in client.list_all_clients(Some("writers/")).await.unwrap() {
        assert!(record.scopes.contains(&scope_of(&record.description)), "a mixture of two changes: {record:?}");
        found.insert(("client", record.client_id), record.description);
    }
    for role in client.list_roles().await.unwrap().into_iter().filter(|role| role.role_id.starts_with("writers/")) {
        assert_eq!(role.scopes, [scope_of(&role.description)], "a mixture of two changes");
        found.insert(("role", role.role_id), role.description);
    }
    found
}

/// The actions of an entity, page by page.
async fn history(client: &Client, (kind, id): &Entity) -> Vec<String> {
    let (mut actions, mut token) = (Vec::new(), None::<String>);
    loop {
        let page = client.entity_history(kind, id, None, token.as_deref()).await.unwrap();
        actions.extend(page.audit_history.into_iter().map(|entry| entry.action_type));
        token = page.continuation_token;
        if token.is_none() {
            return actions;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_acknowledgement_of_64_writers_is_true() {
    for place in Place::each().await {
        let init = place.init(&[]);
        let server = place.start();
        // A change before all others tells where the revisions begin.
        let first = Writer::new(WRITERS, &server, &init).ask(Verb::Create, ("role", "first".to_owned()), "first".to_owned()).await.unwrap();
        let started = Instant::now();
        let writers: Vec<_> = (0..WRITERS).map(|number| tokio::spawn(Writer::new(number, &server, &init).write())).collect();
        let (mut acknowledged, mut refused) = (Vec::new(), 0);
        for writer in writers {
            let (more, no) = writer.await.unwrap();
            acknowledged.extend(more);
            refused += no;
        }
        let seconds = started.elapsed().as_secs_f64();
        let (states, actions) = replay(&acknowledged, first.revision);
        let expected: BTreeMap<Entity, String> = states.iter().map(|(entity, state)| (entity.clone(), state.mark.clone())).collect();
        assert!(acknowledged.len() > WRITERS && refused > 0 && !expected.is_empty(), "the writers got in each other's way");

        let client = server.client(&init);
        assert_eq!(found(&client).await, expected, "{}: the running server", place.store());
        for (entity, actions) in &actions {
            assert_eq!(&history(&client, entity).await, actions, "{}: the history of {entity:?}", place.store());
        }
        assert_eq!(server.end(), Some(0));
        let server = place.start();
        assert_eq!(found(&server.client(&init)).await, expected, "{}: after a restart", place.store());
        for ((_, id), state) in states.iter().filter(|((kind, _), _)| *kind == "client") {
            let credentials = falconer_client::Credentials::new(id, state.token.as_deref().unwrap());
            let owner = Client::new(&server.root_url).unwrap().with_credentials(credentials);
            // Its scopes don't reach that far: 403 means that the token is right, 401 that it is not.
            let error = owner.current_scopes().await.unwrap_err();
            assert_eq!(error.status(), Some(403), "{id}: the token told last is the one that counts: {error}");
        }
        println!(
            "{}: {WRITERS} writers, {} changes acknowledged and found, {refused} refused, {} entities, {seconds:.1} s",
            place.store(),
            acknowledged.len(),
            actions.len()
        );
    }
}
