//! Data sets from a seed: the same seed gives the same roles and clients, on every machine.
//!
//! Every set holds the client `bench/client`, whose 10 scopes come to 30, and what the measurements sign with.

use std::fmt;
use std::str::FromStr;

use falconer_scopes::Role;

/// What every set's random choices come from.
pub const SEED: u64 = 0x00fa_1c04;

/// A shape of data (`docs/performance.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// 10 roles, 20 clients.
    Small,
    /// 1,000 roles, 1,000 clients.
    Thousand,
    /// 10,000 roles, 10,000 clients.
    TenThousand,
    /// 50 chains of 12 roles, each handing its parameter on.
    Deep,
    /// A client whose one scope comes to 5,000.
    Wide,
    /// 600 roles of 20 to 200 scopes with stars and parameters, as a large deployment has; 600 clients.
    Real,
    /// The same 16 times over: 9,600 roles.
    Real16,
}

impl Shape {
    /// All, in the order in which they are measured.
    pub const ALL: [Shape; 7] = [Shape::Small, Shape::Deep, Shape::Wide, Shape::Thousand, Shape::TenThousand, Shape::Real, Shape::Real16];

    /// The word of `--set`.
    pub fn word(self) -> &'static str {
        match self {
            Shape::Small => "small",
            Shape::Thousand => "1k",
            Shape::TenThousand => "10k",
            Shape::Deep => "deep",
            Shape::Wide => "wide",
            Shape::Real => "real",
            Shape::Real16 => "real16",
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Shape {
    type Err = String;

    fn from_str(text: &str) -> Result<Shape, String> {
        let words = Shape::ALL.map(Shape::word).join(", ");
        Shape::ALL.into_iter().find(|shape| shape.word() == text).ok_or_else(|| format!("there is no set `{text}`; the sets are {words}"))
    }
}

/// A client to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewClient {
    /// Its id.
    pub client_id: String,
    /// Its scopes.
    pub scopes: Vec<String>,
}

/// Roles and clients.
#[derive(Clone, Debug, Default)]
pub struct DataSet {
    /// In the order in which they are made; a role refers only to roles of the set.
    pub roles: Vec<Role>,
    /// The clients.
    pub clients: Vec<NewClient>,
}

/// The client that most rows sign with.
pub const CLIENT: &str = "bench/client";
/// The name of its temporary credentials.
pub const NAMED: &str = "bench/named";
/// The client of the set `wide`.
pub const WIDE_CLIENT: &str = "bench/wide";
/// The client that may expand.
pub const EXPANDER: &str = "bench/expander";

/// The scopes of [`CLIENT`]: ten, of which one is a role that gives twenty more.
pub fn ten_scopes() -> Vec<String> {
    let own = (0..7).map(|n| format!("bench:own:{n}"));
    own.chain(["auth:current-scopes".to_owned(), "assume:bench:x".to_owned(), "auth:create-client:bench/*".to_owned()]).collect()
}

/// The scopes of the certificate of [`NAMED`]: ten that [`CLIENT`] has.
pub fn certificate_scopes() -> Vec<String> {
    let own = (0..7).map(|n| format!("bench:own:{n}"));
    own.chain(["auth:current-scopes".to_owned(), "assume:bench:x".to_owned(), format!("auth:create-client:{NAMED}/below")]).collect()
}

/// The set of a shape.
pub fn data_set(shape: Shape) -> DataSet {
    let mut random = fastrand::Rng::with_seed(SEED);
    let mut set = DataSet::default();
    set.roles.push(role("bench:*", (0..20).map(|n| format!("bench:granted:{n}:<..>"))));
    set.client(CLIENT, ten_scopes());
    set.client(EXPANDER, vec!["auth:expand-scopes".to_owned(), "auth:current-scopes".to_owned()]);
    match shape {
        Shape::Small => {
            set.roles.extend(synthetic_roles(9, &mut random));
            set.clients.extend(synthetic_clients(18, 0, 9, &mut random));
        }
        Shape::Thousand => {
            set.roles.extend(synthetic_roles(1_000, &mut random));
            set.clients.extend(synthetic_clients(1_000, 0, 1_000, &mut random));
        }
        Shape::TenThousand => {
            set.roles.extend(synthetic_roles(10_000, &mut random));
            set.clients.extend(synthetic_clients(10_000, 0, 10_000, &mut random));
        }
        Shape::Deep => set.roles.extend(deep_roles(50, 12)),
        Shape::Wide => {
            set.roles.extend((0..25).map(|part| role(&format!("wide:{part:02}"), (0..200).map(|n| format!("wide:{part:02}:{n:03}")))));
            set.roles.push(role("wide", (0..25).map(|part| format!("assume:wide:{part:02}"))));
            set.client(WIDE_CLIENT, vec!["assume:wide".to_owned()]);
        }
        Shape::Real | Shape::Real16 => {
            let times = if shape == Shape::Real { 1 } else { 16 };
            set.roles.extend(real_roles(times, &mut random));
            set.clients.extend(real_clients(600 * times, times, &mut random));
        }
    }
    set
}

impl DataSet {
    fn client(&mut self, client_id: &str, scopes: Vec<String>) {
        self.clients.push(NewClient { client_id: client_id.to_owned(), scopes });
    }
}

fn role(role_id: &str, scopes: impl IntoIterator<Item = String>) -> Role {
    Role { role_id: role_id.to_owned(), scopes: scopes.into_iter().collect() }
}

/// The id of one of [`synthetic_roles`].
fn synthetic_id(number: usize) -> String {
    format!("team:{number:05}:member")
}

/// Roles of nine scopes of their own; each fourth hands on to a later one that does not, each tenth is a star role.
pub fn synthetic_roles(count: usize, random: &mut fastrand::Rng) -> Vec<Role> {
    let make = |number: usize| {
        let mut scopes: Vec<String> = (0..9).map(|n| format!("service:{n}:team-{number:05}:action-{}", random.u8(..100))).collect();
        if number.is_multiple_of(4) && number + 1 < count {
            let later = random.usize(number + 1..count.min(number + 50));
            scopes.push(format!("assume:{}", synthetic_id(if later.is_multiple_of(4) { later - 1 } else { later })));
        }
        if number % 10 == 9 {
            scopes.push(format!("service:parameter:team-{number:05}:<..>"));
            return role(&format!("group:{number:05}:*"), scopes);
        }
        role(&synthetic_id(number), scopes)
    };
    (0..count).map(make).collect()
}

/// Clients `bench/many/<n>` from `first` on, with three scopes of their own and two roles.
pub fn synthetic_clients(count: usize, first: usize, roles: usize, random: &mut fastrand::Rng) -> Vec<NewClient> {
    let make = |number: usize| {
        let mut scopes: Vec<String> = (0..3).map(|n| format!("service:{n}:client-{number:07}")).collect();
        // Two different ones: the protocol refuses lists that say something twice.
        let held_role = random.usize(..roles);
        scopes.extend(
            [held_role, (held_role + 1 + random.usize(..roles - 1)) % roles].map(|held_role| format!("assume:{}", synthetic_id(held_role))),
        );
        NewClient { client_id: format!("bench/many/{number:07}"), scopes }
    };
    (first..first + count).map(make).collect()
}

/// A list of 100 scopes to expand: 70 roles and 30 others. Never the same list twice from one generator.
pub fn hundred_scopes(roles: usize, random: &mut fastrand::Rng) -> Vec<String> {
    let mut scopes: Vec<String> = (0..30).map(|n| format!("service:{n}:asked-{:08x}", random.u32(..))).collect();
    let mut numbers: Vec<usize> = Vec::with_capacity(70);
    while numbers.len() < 70.min(roles) {
        let number = random.usize(..roles);
        if !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    scopes.extend(numbers.into_iter().map(|number| {
        if number % 10 == 9 {
            format!("assume:group:{number:05}:asked-{:04x}", random.u16(..))
        } else {
            format!("assume:{}", synthetic_id(number))
        }
    }));
    scopes
}

/// `chains` chains of `length` star roles; each gives one scope and hands its parameter to the next.
pub fn deep_roles(chains: usize, length: usize) -> Vec<Role> {
    let link = |chain: usize, at: usize| {
        let mut scopes = vec![format!("deep:{chain:02}:{at:02}:<..>")];
        if at + 1 < length {
            scopes.push(format!("assume:deep:{chain:02}:{:02}:<..>", at + 1));
        }
        role(&format!("deep:{chain:02}:{at:02}:*"), scopes)
    };
    (0..chains).flat_map(|chain| (0..length).rev().map(move |at| (chain, at))).map(|(chain, at)| link(chain, at)).collect()
}

/// The kinds of role that a large deployment has, by the number of the role.
fn real_id(copy: usize, number: usize) -> String {
    match number % 6 {
        0 => format!("repo:hosting.example/org-{copy:02}/project-{number:03}:*"),
        1 => format!("hook-id:project-{copy:02}-{number:03}/*"),
        2 => format!("worker-pool:provider-{copy:02}/pool-{number:03}"),
        3 => format!("project-admin:project-{copy:02}-{number:03}"),
        4 => format!("login-group:org-{copy:02}-team-{number:03}"),
        _ => format!("worker-id:provider-{copy:02}/pool-{number:03}*"),
    }
}

/// 600 roles for each copy, of 20 to 200 scopes: stars, parameters, and roles that hold roles.
pub fn real_roles(times: usize, random: &mut fastrand::Rng) -> Vec<Role> {
    let mut roles = Vec::with_capacity(600 * times);
    for copy in 0..times {
        for number in 0..600 {
            let role_id = real_id(copy, number);
            let starred = role_id.ends_with('*');
            let count = random.usize(20..=200);
            let mut scopes: Vec<String> = (0..count).map(|n| real_scope(copy, number, n, starred, random)).collect();
            // A few held roles, all of smaller numbers: no cycles.
            for _ in 0..if number > 6 { random.usize(..4) } else { 0 } {
                let held_role = real_id(copy, random.usize(..number));
                scopes.push(match held_role.strip_suffix('*') {
                    Some(prefix) => format!("assume:{prefix}branch-{}", random.u8(..20)),
                    None => format!("assume:{held_role}"),
                });
            }
            scopes.sort_unstable();
            scopes.dedup();
            roles.push(role(&role_id, scopes));
        }
    }
    roles
}

fn real_scope(copy: usize, number: usize, n: usize, starred: bool, random: &mut fastrand::Rng) -> String {
    let other = random.usize(..600);
    match (random.u8(..10), starred) {
        (0, true) => format!("queue:route:index.project-{copy:02}-{number:03}.{n}.<..>"),
        (1, true) => format!("index:insert-task:project-{copy:02}-{number:03}.{n}.<..>.*"),
        (2, _) => format!("queue:create-task:highest:provider-{copy:02}/pool-{other:03}"),
        (3, _) => format!("queue:scheduler-id:project-{copy:02}-{other:03}-level-{}", n % 4),
        (4, _) => format!("secrets:get:project/project-{copy:02}-{other:03}/*"),
        (5, _) => format!("hooks:trigger-hook:project-{copy:02}-{other:03}/hook-{n}"),
        (6, _) => format!("worker-manager:manage-worker-pool:provider-{copy:02}/pool-{other:03}"),
        (7, _) => format!("notify:email:team-{other:03}@org-{copy:02}.example"),
        (8, _) => format!("queue:get-artifact:project/project-{copy:02}-{other:03}/*"),
        _ => format!("project:project-{copy:02}-{number:03}:action-{n}:level-{}", random.u8(1..4)),
    }
}

fn real_clients(count: usize, times: usize, random: &mut fastrand::Rng) -> Vec<NewClient> {
    let make = |number: usize| {
        let mut scopes: Vec<String> = (0..random.usize(2..12)).map(|n| format!("project:client-{number:05}:action-{n}")).collect();
        let held_role = real_id(random.usize(..times), random.usize(..600));
        scopes.push(match held_role.strip_suffix('*') {
            Some(prefix) => format!("assume:{prefix}main"),
            None => format!("assume:{held_role}"),
        });
        NewClient { client_id: format!("bench/project/{number:05}"), scopes }
    };
    (0..count).map(make).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use falconer_scopes::RoleSet;

    #[test]
    fn every_set_is_valid_and_the_same_each_time() {
        for shape in Shape::ALL {
            let set = data_set(shape);
            falconer_scopes::validate(&set.roles).unwrap();
            let ids: std::collections::HashSet<&str> = set.roles.iter().map(|r| r.role_id.as_str()).collect();
            assert_eq!(ids.len(), set.roles.len(), "{shape}: every role once");
            let lists = set.roles.iter().map(|r| &r.scopes).chain(set.clients.iter().map(|c| &c.scopes));
            for list in lists {
                let different: std::collections::HashSet<&String> = list.iter().collect();
                assert_eq!(different.len(), list.len(), "{shape}: {list:?}");
            }
            assert_eq!(data_set(shape).roles, set.roles, "{shape}");
            assert_eq!(data_set(shape).clients, set.clients, "{shape}");
        }
    }

    #[test]
    fn sets_have_the_sizes_that_the_document_names() {
        let size = |shape| (data_set(shape).roles.len(), data_set(shape).clients.len());
        assert_eq!(size(Shape::Small), (10, 20));
        assert_eq!(size(Shape::Thousand), (1_001, 1_002));
        assert_eq!(size(Shape::TenThousand), (10_001, 10_002));
        assert_eq!(size(Shape::Real), (601, 602));
        assert_eq!(size(Shape::Real16), (9_601, 9_602));
    }

    #[test]
    fn expansions_have_the_sizes_that_the_document_names() {
        let expanded = |shape, scopes: &[String]| RoleSet::new(data_set(shape).roles).expand(scopes).iter().count();
        assert_eq!(expanded(Shape::Small, &ten_scopes()), 30);
        assert_eq!(expanded(Shape::Small, &certificate_scopes()), 30);
        assert_eq!(expanded(Shape::Deep, &["assume:deep:00:00:x".to_owned()]), 24);
        assert!(expanded(Shape::Wide, &["assume:wide".to_owned()]) >= 5_000);
        let mut random = fastrand::Rng::with_seed(SEED);
        for (shape, roles) in [(Shape::Thousand, 1_000), (Shape::TenThousand, 10_000)] {
            let set = RoleSet::new(data_set(shape).roles);
            for _ in 0..20 {
                let scopes = hundred_scopes(roles, &mut random);
                let came_to = set.expand(&scopes).iter().count();
                assert!(scopes.len() == 100 && (800..=1_000).contains(&came_to), "{came_to}");
            }
        }
    }
}
