//! Random histories of somebody who may administer people and little else: whoever they become by a link, they never reach a scope that nobody gave them.
//!
//! A helper has [`REACH`] and all acts on people. Around them are people who may do more, roles that wait for somebody, and a boss who gives and takes. The
//! helper keeps every link, reads what is mailed to the addresses that they wrote, and uses links whenever they like, and acts as everybody whose password they have set. What the boss gives to such a person is
//! given to the helper; everything else has to stay out.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::common::{HOUR_MS, World};
use crate::dice::Dice;
use falconer_auth::Authentication;
use falconer_login::{LoginSettings, MailedSite, NewAccount, NewLink, PersonChange};
use falconer_scopes::ScopeSet;

/// `FALCONER_ESCALATION_WORLDS` says otherwise, for a soak.
const WORLDS: u64 = 12;
const ACTS: u64 = 132;

const VERBS: [&str; 6] = ["create", "update", "reset", "enable", "disable", "get"];
const REACH: [&str; 3] = ["pub:*", "assume:local-group:open", "x:1"];
const NAMES: [&str; 7] = ["ann", "bob", "carl", "dora", "boss", "eve", "helper"];
const GROUPS: [&str; 3] = ["open", "zap", "hr"];
const TEMPTING: [&str; 9] =
    ["pub:1", "x:1", "x:*", "secret:1", "*", "auth:*", "assume:local-group:zap", "assume:vault", "auth:update-person:*"];

const LINK: &str = "https://auth.example.com/password-link?token=";

fn mailed_site() -> MailedSite {
    MailedSite { name: "auth.example.com".to_owned(), link: LINK.to_owned() }
}

struct History {
    world: World,
    catcher: Arc<crate::site::Catcher>,
    mailed: usize,
    by_boss: usize,
    dice: Dice,
    /// Whom the helper can be.
    loot: BTreeSet<String>,
    links: Vec<(String, NewLink)>,
    /// What was given to them.
    given: ScopeSet,
    done: usize,
    refused: usize,
    taken: usize,
    log: Vec<String>,
}

#[tokio::test]
async fn nobody_becomes_somebody_who_may_do_more() {
    let worlds = std::env::var("FALCONER_ESCALATION_WORLDS").ok().and_then(|text| text.parse().ok()).unwrap_or(WORLDS);
    let (mut done, mut refused, mut taken, mut mailed, mut by_boss) = (0, 0, 0, 0, 0);
    for seed in 0..worlds {
        let mut history = History::begin(seed).await;
        for _ in 0..ACTS {
            history.act().await;
            history.check();
        }
        done += history.done;
        refused += history.refused;
        taken += history.taken;
        mailed += history.mailed;
        by_boss += history.by_boss;
    }
    println!(
        "worlds: {worlds}, acts that were done: {done}, refused: {refused}, links that were used: {taken}, mailed: {mailed}, by the boss: {by_boss}"
    );
    let worlds = usize::try_from(worlds).unwrap();
    assert!(done > worlds * 8 && refused > worlds * 8 && taken > worlds * 2, "{done} done, {refused} refused, {taken} taken");
    assert!(mailed > worlds && by_boss * 2 > worlds, "{mailed} mailed, {by_boss} by the boss");
}

impl History {
    async fn begin(seed: u64) -> History {
        let catcher = Arc::new(crate::site::Catcher::default());
        let world = World::with(LoginSettings { mailer: Some(catcher.clone()), ..crate::common::settings() }).await;
        world.role("vault", &["secret:*"]).await;
        world.role("local-user:eve", &["secret:eve"]).await;
        world.role("local-group:hr", &["secret:hr"]).await;
        world.role("local-group:open", &["pub:open"]).await;
        let acts: Vec<String> = VERBS.iter().map(|verb| format!("auth:{verb}-person:*")).collect();
        let allowed_addresses: Vec<&str> = acts.iter().map(String::as_str).chain(REACH).collect();
        world.person("helper", &[], &allowed_addresses).await;
        world.person("ann", &["zap"], &["pub:ann"]).await;
        world.person("carl", &[], &[]).await;
        world.person("boss", &["hr"], &["auth:*", "assume:vault"]).await;
        let given = world.auth.person_scopes("local/helper").unwrap();
        History {
            world,
            dice: Dice::of(seed),
            catcher,
            mailed: 0,
            by_boss: 0,
            loot: BTreeSet::from(["helper".to_owned()]),
            links: Vec::new(),
            given,
            done: 0,
            refused: 0,
            taken: 0,
            log: Vec::new(),
        }
    }

    fn note<T, E: std::fmt::Display>(&mut self, what: String, outcome: &Result<T, E>) {
        let said = outcome.as_ref().err().map(ToString::to_string).unwrap_or_default();
        self.log.push(format!("{what}: {said}"));
        if outcome.is_ok() { self.done += 1 } else { self.refused += 1 }
    }

    async fn act(&mut self) {
        // Most of those whom the helper can be may do little.
        let loot: Vec<String> = self.loot.iter().cloned().collect();
        let by = if self.dice.roll(4) > 0 { "helper".to_owned() } else { self.dice.pick(&loot) };
        let who = Authentication::person(&format!("local/{by}"));
        let name = self.dice.pick(&NAMES).to_owned();
        let identity = format!("local/{name}");
        let login = self.world.login.clone();
        match self.dice.roll(18) {
            0..=2 => {
                let (groups, scopes) = (self.dice.some(&GROUPS), self.dice.some(&TEMPTING));
                let plain = self.dice.roll(2) == 0;
                let (groups, scopes) = if plain { (Vec::new(), Vec::new()) } else { (groups, scopes) };
                let new = NewAccount { name: name.clone(), display_name: name.clone(), email: self.own_address(&name), groups, scopes };
                let invited = if self.dice.roll(3) == 0 {
                    login.invite_person_by_mail(&who, &new, &mailed_site()).await.map(|(mailed, _)| mailed.link)
                } else {
                    login.invite_person(&who, &new).await.map(|(link, _)| link)
                };
                self.note(format!("{by} invites {new:?}"), &invited);
                self.links.extend(invited.ok().map(|link| (name, link)));
                self.read_mail();
            }
            3 | 4 => {
                let mailed_link = if self.dice.roll(3) == 0 {
                    login.mail_reset_link(&who, &identity, &mailed_site()).await.map(|(mailed, _)| mailed.link)
                } else {
                    login.make_reset_link(&who, &identity).await.map(|(link, _)| link)
                };
                self.note(format!("{by} resets {name}"), &mailed_link);
                self.links.extend(mailed_link.ok().map(|link| (name, link)));
                self.read_mail();
            }
            5..=7 if !self.links.is_empty() => {
                let (name, link) = self.dice.pick(&self.links);
                let used = login.use_account_link(&link.token, "the password of the helper").await;
                self.note(format!("takes the link of {name}"), &used);
                if used.is_ok() {
                    self.taken += 1;
                    self.loot.insert(name);
                }
            }
            8 => {
                let email = (self.dice.roll(2) == 0).then(|| self.own_address(&name));
                let change = PersonChange {
                    email,
                    groups: (self.dice.roll(2) == 0).then(|| self.dice.some(&GROUPS)),
                    scopes: (self.dice.roll(2) == 0).then(|| self.dice.some(&TEMPTING)),
                    ..PersonChange::default()
                };
                let changed = login.update_person(&who, &identity, &change).await;
                self.note(format!("{by} changes {name} {change:?}"), &changed);
            }
            9 => {
                let done = if self.dice.roll(4) == 0 {
                    login.disable_whole_person(&who, &identity).await
                } else {
                    login.enable_whole_person(&who, &identity).await
                };
                self.note(format!("{by} stops or starts {name}"), &done);
            }
            10 => self.world.clock.advance(HOUR_MS / 3),
            11..=13 => self.forget(&name).await,
            14 => self.boss(&name).await,
            _ => self.boss_mails(&name).await,
        }
    }

    /// An address at which the helper reads mail, or none.
    fn own_address(&mut self, name: &str) -> Option<String> {
        (self.dice.roll(3) > 0).then(|| format!("helper+{name}@example.com"))
    }

    /// Anybody may say that they have forgotten a password; the helper reads what comes to them.
    async fn forget(&mut self, name: &str) {
        let answer = self.world.login.mail_forgotten(name, &mailed_site(), &crate::common::from(crate::common::ADDRESS)).await;
        self.world.login.mail_is_sent().await;
        self.log.push(format!("forgets the password of {name}: {answer:?}"));
        self.mailed += self.read_mail();
    }

    /// What has come to the helper's addresses, whoever had it mailed; how many links.
    fn read_mail(&mut self) -> usize {
        let mut read = 0;
        for mail in std::mem::take(&mut *self.catcher.caught.lock().unwrap()) {
            let Some(name) = mail.to.local().strip_prefix("helper+") else { continue };
            let token = mail.text.lines().find_map(|line| line.strip_prefix(LINK)).unwrap().to_owned();
            let expires_ms = mail.at_ms + falconer_login::FORGOTTEN_MS;
            self.links.push((name.to_owned(), NewLink { token: token.into(), expires_ms }));
            read += 1;
            self.log.push(format!("gets a link of {name} by mail"));
        }
        read
    }

    /// An administrator who may do everything has a link mailed, to whichever address is there. The helper never sees the link, but for the mail.
    async fn boss_mails(&mut self, name: &str) {
        let machine = falconer_login::Administrator::OnTheMachine("boss");
        let mailed_link = self.world.login.mail_reset_link(machine, &format!("local/{name}"), &mailed_site()).await;
        self.log.push(format!("boss has a link mailed to {name}: {:?}", mailed_link.as_ref().err()));
        let read = self.read_mail();
        assert!(read == 0 || mailed_link.is_ok(), "a mail without a link");
        self.by_boss += read;
    }

    /// What the boss does is wanted: what it gives to somebody whom the helper can be, it gives.
    async fn boss(&mut self, name: &str) {
        let before = self.has();
        match self.dice.roll(4) {
            0 => {
                let scopes: &[&str] = self.dice.pick(&[&["pub:open"][..], &["pub:open", "secret:open"], &[]]);
                self.world.role("local-group:open", scopes).await;
                self.log.push(format!("boss: role open {scopes:?}"));
            }
            1 => {
                let scopes: &[&str] = self.dice.pick(&[&["secret:named"][..], &[]]);
                self.world.role(&format!("local-user:{name}"), scopes).await;
                self.log.push(format!("boss: role of {name} {scopes:?}"));
            }
            _ => {
                let groups = self.dice.some(&GROUPS);
                let set = self.world.login.set_groups("boss", name, &groups).await;
                self.log.push(format!("boss: {name} in {groups:?} {}", set.is_ok()));
            }
        }
        let gained: Vec<String> = self.has().iter().filter(|scope| !before.satisfies(scope)).map(str::to_owned).collect();
        self.given = self.given.union(&ScopeSet::new(gained));
    }

    /// What the helper can do as anybody.
    fn has(&self) -> ScopeSet {
        let auth = &self.world.auth;
        let all = self.loot.iter().filter_map(|name| auth.person_scopes(&format!("local/{name}")));
        all.fold(ScopeSet::default(), |all, one| all.union(&one))
    }

    fn check(&self) {
        let names = self.loot.iter().flat_map(|name| {
            let own = ["create", "update", "delete"].map(|verb| format!("auth:{verb}-client:local/{name}/*"));
            let said = [format!("assume:local-user:{name}"), format!("assume:login-identity:local/{name}")];
            own.into_iter().chain(said).chain([format!("auth:reset-access-token:local/{name}/*")])
        });
        let allowed_addresses = self.given.union(&ScopeSet::new(names));
        let outside: Vec<String> = self.has().iter().filter(|scope| !allowed_addresses.satisfies(scope)).map(str::to_owned).collect();
        assert!(outside.is_empty(), "{outside:?} as one of {:?}\n{}", self.loot, self.log.join("\n"));
    }
}
