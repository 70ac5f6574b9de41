//! Random histories of calls by limited callers: nobody ever reaches a scope outside of what they were given.
//!
//! Ann, her grants, and a client of hers were given scopes within [`REACH`]; around them are roles and clients with secrets, and an
//! administrator who changes things. After every call, some credentials that a limited caller got hold of are tried: they must not have
//! anything outside of `REACH`, and what was got through a grant must stay within what the grant's page said, and die with the grant.

use std::sync::Arc;

use crate::common::{Keys, World};
use crate::dice::Dice;
use falconer_auth::{Auth, Authentication, Batch, BatchClient, BatchRole, DAY_MS, NewGrant, RoleInput, Secret, Verdict};
use falconer_credentials::temporary;
use falconer_scopes::ScopeSet;

/// How many nodes; `FALCONER_ESCALATION_WORLDS` says otherwise, for a soak.
const WORLDS: u64 = 60;
const HISTORIES: u64 = 25;
const CALLS: u64 = 12;

/// Everything that limited callers of one history may ever have; `#` stands for the history.
const REACH: [&str; 13] = [
    "pub:1*",
    "assume:open-#",
    "assume:lim-#-*",
    "auth:create-client:lim-#/*",
    "auth:update-client:lim-#/*",
    "auth:reset-access-token:lim-#/*",
    "auth:set-access-token:lim-#/*",
    "auth:enable-client:lim-#/*",
    "auth:disable-client:lim-#/*",
    "auth:create-role:lim-#-*",
    "auth:update-role:lim-#-*",
    "auth:create-client:sso/ann-#/*",
    "auth:current-scopes",
];

/// What callers try to give away.
const TEMPTING: [&str; 14] = [
    "pub:1",
    "pub:*",
    "secret:1",
    "secret:*",
    "*",
    "assume:vault",
    "assume:v*",
    "assume:open-#",
    "assume:lim-#-x",
    "assume:lim-#-*",
    "assume:lim-#-<..>",
    "pub:1<..>",
    "assume:grant:x",
    "auth:create-client:lim-#/*",
];

/// Credentials that a limited caller has got.
#[derive(Clone)]
struct Loot {
    keys: Keys,
    /// The grants that it was got through.
    grants: Vec<Arc<Given>>,
}

/// A grant and what its page said.
struct Given {
    id: String,
    said: ScopeSet,
}

struct History<'a> {
    world: &'a World,
    dice: Dice,
    name: String,
    person: String,
    reach: ScopeSet,
    loot: Vec<Loot>,
    given: Vec<Arc<Given>>,
    /// The last createClient.
    last_request: Option<(String, Vec<String>)>,
    accepted: usize,
    done: usize,
    log: Vec<String>,
}

#[tokio::test]
async fn nobody_reaches_what_was_not_given() {
    let (mut accepted, mut done, mut histories) = (0, 0, 0);
    let worlds = std::env::var("FALCONER_ESCALATION_WORLDS").ok().and_then(|text| text.parse().ok()).unwrap_or(WORLDS);
    for seed in 0..worlds {
        let world = World::bare().await;
        world.role("vault", &["secret:*"]).await;
        world.role("anonymous", &["lobby:enter"]).await;
        world.client("boss", &["secret:1", "assume:vault"]).await;
        for number in 0..HISTORIES {
            let mut history = History::begin(&world, seed * HISTORIES + number).await;
            for _ in 0..CALLS {
                history.call().await;
                history.try_last().await;
            }
            history.try_all().await;
            accepted += history.accepted;
            done += history.done;
            histories += 1;
        }
    }
    println!("histories: {histories}, calls that were accepted: {done}, credentials that were accepted: {accepted}");
    // A run in which everything is refused would prove nothing.
    assert!(done > histories * 2 && accepted > histories * 8, "{done} calls and {accepted} credentials were accepted");
}

impl<'a> History<'a> {
    async fn begin(world: &'a World, number: u64) -> History<'a> {
        let name = number.to_string();
        let reach: Vec<String> = REACH.iter().map(|scope| scope.replace('#', &name)).collect();
        let mut history = History {
            world,
            dice: Dice::of(number),
            person: format!("sso/ann-{name}"),
            reach: ScopeSet::new(["assume:anonymous", "lobby:enter", "pub:*"]).union(&ScopeSet::new(reach)),
            name,
            loot: Vec::new(),
            given: Vec::new(),
            last_request: None,
            accepted: 0,
            done: 0,
            log: Vec::new(),
        };
        world.role(&history.own("open-#"), &["pub:open"]).await;
        history.change_person().await;
        let start = history.some_reach();
        let keys = world.client(&history.own("lim-#/first"), &refs(&start)).await;
        history.loot.push(Loot { keys, grants: Vec::new() });
        history.grant().await;
        history
    }

    fn own(&self, text: &str) -> String {
        text.replace('#', &self.name)
    }

    /// Each of them with five chances in six.
    fn some_reach(&mut self) -> Vec<String> {
        REACH.iter().filter(|_| self.dice.roll(6) > 0).map(|scope| scope.replace('#', &self.name)).collect()
    }

    /// What a caller asks for: some of what it has, and now and then what it should not get.
    fn tempting(&mut self, who: &ScopeSet) -> Vec<String> {
        let has: Vec<&str> = who.iter().filter(|scope| !["assume:anonymous", "lobby:enter"].contains(scope)).collect();
        let all = self.dice.roll(2) == 0;
        let mut scopes: Vec<String> = has.iter().filter(|_| all).map(|scope| (*scope).to_owned()).collect();
        for _ in 0..self.dice.roll(3) {
            if !has.is_empty() {
                scopes.push(self.dice.pick(&has).to_owned());
            }
        }
        if self.dice.roll(5) == 0 {
            let temptation = self.dice.pick(&TEMPTING);
            scopes.push(self.own(temptation));
        }
        scopes.sort();
        scopes.dedup();
        scopes
    }

    async fn change_person(&mut self) {
        let mut scopes = self.some_reach();
        scopes.push("pub:1".to_owned());
        if self.dice.roll(4) == 0 {
            // What no person's scopes may hold, whoever says so.
            scopes.push("*".to_owned());
        }
        self.log.push(format!("person {scopes:?}"));
        self.world.person(&self.person, &refs(&scopes)).await;
    }

    async fn grant(&mut self) {
        let auth = &self.world.auth;
        let Some(present) = auth.person_scopes(&self.person) else {
            return;
        };
        let all = present.to_vec();
        let some: Vec<&str> = all.iter().filter(|_| self.dice.roll(3) > 0).map(String::as_str).collect();
        // What the page does: closed, or the button is not there.
        let said = auth.expand(&some);
        let new = NewGrant {
            identity: self.person.clone(),
            signed_in_by: self.person.clone(),
            host: "notes.example.com".to_owned(),
            target: "https://notes.example.com/".to_owned(),
            target_origin: "https://notes.example.com".to_owned(),
            scopes: said.clone(),
            everything: false,
            identity_for: Vec::new(),
            expires_ms: self.world.now() + DAY_MS,
            nonce: String::new(),
            choices: String::new(),
            name: None,
            label: String::new(),
            application: None,
            purpose: None,
            widens: None,
        };
        let issued = auth.add_grant(new).await.unwrap();
        self.log.push(format!("grant {} {said:?}", issued.grant.id));
        let given = Arc::new(Given { id: issued.grant.id, said });
        self.given.push(Arc::clone(&given));
        let issued_credentials = issued.credentials;
        let keys = Keys {
            id: issued_credentials.client_id,
            token: issued_credentials.access_token,
            certificate: Some(issued_credentials.certificate),
        };
        self.loot.push(Loot { keys, grants: vec![given] });
    }

    async fn call(&mut self) {
        let auth = self.world.auth.clone();
        let mut by = self.dice.pick(&self.loot);
        let mut who = self.world.call(&by.keys).await;
        if who.caller().is_err() {
            by = self.dice.pick(&self.loot);
            who = self.world.call(&by.keys).await;
        }
        let target = self.dice.pick(&["lim-#/a", "lim-#/a", "lim-#/b", "lim-#/first", "lim-#/first", "sso/ann-#/ci", "boss"]);
        let mut target = self.own(target);
        let prefix = self.own("lim-#/");
        let known: Vec<String> = auth.directory().clients(&prefix).map(|client| client.id().to_owned()).collect();
        let call = self.dice.roll(17);
        if (3..=7).contains(&call) && self.dice.roll(5) > 0 {
            target = self.dice.pick(&known);
        }
        match call {
            0..=2 => self.create(&auth, &who, &by, &target).await,
            3 | 4 => self.update(&auth, &who, &by, &target).await,
            5 | 6 => self.reset(&auth, &who, &by, &target).await,
            7 => {
                self.note(&by, format!("enable {target}"), auth.enable_client(&who, &target).await.is_ok());
            }
            8 => self.limited_role(&auth, &who, &by).await,
            9 | 10 => self.certificate(&who, &by),
            11 => self.grant().await,
            12 => self.change_person().await,
            13 | 14 => self.batch(&auth, &who, &by, &target).await,
            _ => self.administrator(&auth).await,
        }
    }

    fn note(&mut self, by: &Loot, what: String, ok: bool) {
        self.done += usize::from(ok);
        self.log.push(format!("{} {what}: {ok}", by.keys.id));
    }

    async fn create(&mut self, auth: &Auth, who: &Authentication, by: &Loot, target: &str) {
        // What somebody else has just asked for in the same words is answered with the same token.
        let (target, scopes) = match self.last_request.take() {
            Some(repeated) if self.dice.roll(2) == 0 => repeated,
            _ => (target.to_owned(), self.tempting(&has(who))),
        };
        let target = target.as_str();
        self.last_request = Some((target.to_owned(), scopes.clone()));
        let created = auth.create_client(who, target, &self.world.input(&refs(&scopes))).await;
        self.note(by, format!("create {target} {scopes:?}"), created.is_ok());
        if let Ok((view, _)) = created {
            let keys = Keys::new(target, view.access_token.unwrap().expose());
            self.loot.push(Loot { keys, grants: by.grants.clone() });
        }
    }

    async fn update(&mut self, auth: &Auth, who: &Authentication, by: &Loot, target: &str) {
        let scopes = self.tempting(&has(who));
        let updated = auth.update_client(who, target, &self.world.input(&refs(&scopes))).await;
        self.note(by, format!("update {target} {scopes:?}"), updated.is_ok());
    }

    async fn reset(&mut self, auth: &Auth, who: &Authentication, by: &Loot, target: &str) {
        let reset = auth.reset_access_token(who, target).await;
        self.note(by, format!("reset {target}"), reset.is_ok());
        if let Ok((view, _)) = reset {
            let keys = Keys::new(target, view.access_token.unwrap().expose());
            self.loot.push(Loot { keys, grants: by.grants.clone() });
        }
    }

    /// A role and a client at once, the client with a token that the caller knows or is told.
    async fn batch(&mut self, auth: &Auth, who: &Authentication, by: &Loot, target: &str) {
        let mut batch = Batch::default();
        if self.dice.roll(3) == 0 {
            let role_id = self.dice.pick(&["lim-#-x", "lim-#-y", "lim-#-*"]);
            let input = RoleInput { scopes: self.tempting(&has(who)), description: String::new() };
            batch.roles.push(BatchRole { role_id: self.own(role_id), input });
        }
        let input = self.world.input(&refs(&self.tempting(&has(who))));
        let given = (self.dice.roll(3) > 0).then(|| format!("a-token-that-nobody-had-before-{}", self.log.len()));
        batch.clients.push(BatchClient {
            client_id: target.to_owned(),
            expires_us: input.expires_us,
            description: input.description,
            scopes: input.scopes.unwrap(),
            delete_on_expiration: false,
            disabled: self.dice.pick(&[None, None, Some(false)]),
            access_token: given.clone().map(Secret::new),
        });
        let done = auth.import(who, &batch).await;
        self.note(by, format!("import {:?} {target} {:?} {given:?}", batch.roles, batch.clients[0].scopes), done.is_ok());
        let Ok((report, _)) = done else {
            return;
        };
        if let Some(token) = given.or_else(|| report.clients[0].1.as_ref().map(|token| token.expose().to_owned())) {
            self.loot.push(Loot { keys: Keys::new(target, &token), grants: by.grants.clone() });
        }
    }

    async fn limited_role(&mut self, auth: &Auth, who: &Authentication, by: &Loot) {
        let role_id = self.dice.pick(&["lim-#-x", "lim-#-y", "lim-#-*", "vault", "anonymous"]);
        let role_id = self.own(role_id);
        let input = RoleInput { scopes: self.tempting(&has(who)), description: String::new() };
        let ok = if auth.directory().role(&role_id).is_some() {
            auth.update_role(who, &role_id, &input).await.is_ok()
        } else {
            auth.create_role(who, &role_id, &input).await.is_ok()
        };
        self.note(by, format!("role {role_id} {:?}", input.scopes), ok);
    }

    fn certificate(&mut self, who: &Authentication, by: &Loot) {
        let scopes = self.tempting(&has(who));
        let name = (self.dice.roll(2) == 0).then(|| self.own("lim-#/temporary"));
        let now_ms = self.world.now();
        let seed = "0123456789012345678901234567890123456789abcd";
        let Ok(issued) = temporary::create(&by.keys.id, &by.keys.token, name.as_deref(), &scopes, now_ms, now_ms + DAY_MS, seed) else {
            return;
        };
        self.log.push(format!("{} certifies {scopes:?}", by.keys.id));
        let keys = Keys { id: issued.client_id, token: issued.access_token, certificate: Some(issued.certificate) };
        self.loot.push(Loot { keys, grants: by.grants.clone() });
    }

    async fn administrator(&mut self, auth: &Auth) {
        match self.dice.roll(5) {
            0 | 1 => {
                let open: &[&str] = self.dice.pick(&[&["pub:open"][..], &["pub:open", "pub:more"], &[]]);
                self.world.role(&self.own("open-#"), open).await;
                self.log.push(format!("open {open:?}"));
            }
            2 if !self.given.is_empty() => {
                let given = self.dice.pick(&self.given);
                auth.revoke_grants(&[&self.person], "test", std::slice::from_ref(&given.id), "test").await.unwrap();
                self.log.push(format!("revoke {}", given.id));
            }
            3 => {
                let root = self.world.as_root().await;
                let _ = auth.disable_client(&root, &self.own("lim-#/a")).await;
            }
            _ => self.world.clock.advance(20 * 60_000),
        }
    }

    async fn try_last(&mut self) {
        if let Some(last) = self.loot.last().cloned() {
            self.attempt(&last).await;
        }
    }

    async fn try_all(&mut self) {
        for loot in self.loot.clone() {
            self.attempt(&loot).await;
        }
    }

    async fn attempt(&mut self, loot: &Loot) {
        let Verdict::Success(success) = self.world.verify(&loot.keys).await else {
            return;
        };
        self.accepted += 1;
        let outside: Vec<&str> = success.scopes.iter().filter(|scope| !self.reach.satisfies(scope)).collect();
        assert!(outside.is_empty(), "{} has {outside:?}\n{}", loot.keys.id, self.log.join("\n"));
        let snapshot = self.world.auth.directory();
        for given in &loot.grants {
            let Some(grant) = snapshot.grant(&given.id) else {
                panic!("{} outlives grant {}\n{}", loot.keys.id, given.id, self.log.join("\n"))
            };
            assert!(self.world.now() < grant.record.expires_ms, "{} outlives grant {}", loot.keys.id, given.id);
            let said = given.said.union(&ScopeSet::new(["auth:current-scopes", "assume:anonymous", "lobby:enter"]));
            let outside: Vec<&str> = success.scopes.iter().filter(|scope| !said.satisfies(scope)).collect();
            assert!(outside.is_empty(), "{} has {outside:?} beyond grant {}\n{}", loot.keys.id, given.id, self.log.join("\n"));
        }
    }
}

fn has(who: &Authentication) -> ScopeSet {
    who.caller().map(|caller| caller.scopes.clone()).unwrap_or_default()
}

fn refs(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}
