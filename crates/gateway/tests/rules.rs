//! The rules file as people write it: what is found, what is refused, and with which words.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use falconer_gateway::rules::{Cases, Found, Rules, Target};

const RULES: &str = r#"falconer = "https://auth.example.com"
origin = "https://notes.example.com"
public = ["/", "/style/{*file}"]

[[rule]]
methods = ["GET"]
path = "/books/{book}"
scope = "notes:read:<book>"

[[rule]]
methods = ["PUT", "DELETE"]
path = "/books/{name}"
scope = { AnyOf = ["notes:write:<name>", "notes:admin"] }
body = "unchecked"
reveal = ["assume:team:"]

[[rule]]
methods = ["*"]
path = "/books/{*rest}"
scope = "notes:admin"

[[rule]]
methods = ["GET"]
path = "/books/all"
scope = { AllOf = ["notes:list", "notes:read:*"] }
"#;

const CASES: &str = r#"
[[case]]
request = "GET /"
expect = "public"
[[case]]
request = "HEAD /style/a/b.css?v=1"
expect = "public"
[[case]]
request = "POST /"
expect = "no-rule"
[[case]]
request = "GET /books/red?page=2"
scopes = ["notes:read:*"]
expect = "allowed"
[[case]]
request = "HEAD /books/a%20b"
scopes = ["notes:read:a b"]
expect = "allowed"
[[case]]
request = "GET /books/red"
scopes = ["notes:read:blue", "notes:write:red"]
expect = "denied"
[[case]]
request = "GET /books/red"
expect = "denied"
[[case]]
request = "PUT /books/red"
scopes = ["notes:admin"]
expect = "allowed"
# The narrowest pattern counts, and its methods: the wide rule below does not let POST through.
[[case]]
request = "POST /books/red"
scopes = ["*"]
expect = "no-rule"
[[case]]
request = "POST /books/red/pages/1"
scopes = ["notes:admin"]
expect = "allowed"
[[case]]
request = "GET /books/all"
scopes = ["notes:read:all", "notes:list"]
expect = "denied"
[[case]]
request = "GET /books/ALL"
scopes = ["*"]
expect = "bad-request"
[[case]]
request = "GET /BOOKS/red"
scopes = ["*"]
expect = "bad-request"
[[case]]
request = "GET /books/../books/red"
scopes = ["*"]
expect = "bad-request"
[[case]]
request = "GET /books/re*"
scopes = ["*"]
expect = "bad-request"
[[case]]
request = "GET /books/r%C3%A9d"
scopes = ["*"]
expect = "bad-request"
[[case]]
request = "GET /style/%C3%A9.css"
expect = "public"
[[case]]
request = "GET /books"
scopes = ["*"]
expect = "no-rule"
"#;

#[test]
fn cases_come_out_as_they_say() {
    let rules = Rules::parse(RULES).unwrap();
    let tried = Cases::parse(CASES).unwrap().try_on(&rules.table);
    assert_eq!((tried.cases, tried.different), (18, vec![]));
}

/// What differs is said with the line of the case, and why it came out as it did.
#[test]
fn what_differs_is_said() {
    let rules = Rules::parse(RULES).unwrap();
    let tried =
        Cases::parse("[[case]]\nrequest = \"GET /books/red\"\nscopes = [\"a\"]\nexpect = \"allowed\"\n").unwrap().try_on(&rules.table);
    let [different] = tried.different.as_slice() else { panic!("{tried:?}") };
    let said = "GET /books/red is denied, not allowed: the rule of line 7 needs \"notes:read:red\"";
    assert_eq!((different.line, different.text.as_str()), (2, said));
}

#[test]
fn wrong_cases_are_said_with_their_line() {
    for (text, said) in [
        ("", "line 1: there is no [[case]]"),
        ("[[case]]\nrequest = \"/a\"\nexpect = \"public\"", "line 2: `/a` is no request"),
        ("[[case]]\nrequest = \"get /a\"\nexpect = \"public\"", "line 2: `get /a` is no request"),
        ("[[case]]\nrequest = \"GET /a\"\nexpect = \"alowed\"", "line 3: unknown variant `alowed`"),
        ("[[case]]\nrequest = \"GET /a\"\nscopes = [\"\u{e9}\"]\nexpect = \"allowed\"", "line 2: `\u{e9}` is not a scope"),
        ("[[case]]\nrequest = \"GET /a\"\n", "missing field `expect`"),
        ("[[cases]]\n", "line 1: unknown field `cases`"),
    ] {
        let found = Cases::parse(text).unwrap_err().to_string();
        assert!(found.contains(said), "{text}: {found}");
    }
}

const HEAD: &str = "falconer = \"https://auth.example.com\"\norigin = \"https://notes.example.com\"\n";

/// A rule alone, from line 3 on.
fn rule(path: &str, methods: &str, scope: &str) -> String {
    format!("[[rule]]\npath = \"{path}\"\nmethods = {methods}\n{scope}\n")
}

#[test]
fn mistakes_are_found_when_the_file_is_read() {
    let get = r#"["GET"]"#;
    let two = |one: &str, other: &str| rule(one, get, "scope = \"a\"") + &rule(other, get, "scope = \"a\"");
    for (text, said) in [
        (String::new(), "line 1: there is no [[rule]]"),
        (
            rule("/b/{book}", get, "scope = \"n:<boook>\""),
            "line 6: The scope expression \"n:<boook>\" cannot be used: the path of the route has no parameter <boook>",
        ),
        (rule("/b/{book}", get, "scope = \"n:<book\""), "line 6: The scope expression \"n:<book\""),
        (rule("/b", get, "scope = { AnyOf = [] }"), "line 6: The scope expression {\"AnyOf\":[]} cannot be used: nobody"),
        (rule("/b", get, "scope = 7"), "line 6: "),
        (rule("/b", get, ""), "line 4: the rule of `/b` has no `scope`"),
        (rule("/b", get, "scope = \"a\"\npublic = true"), "line 6: the rule of `/b` is public and has a scope"),
        (rule("/b", get, "public = true\nbody = \"unchecked\""), "line 4: the rule of `/b` is public"),
        (rule("/b", get, "scope = \"a\"\nbody = \"any\""), "line 7: unknown variant `any`"),
        (rule("/b", get, "scope = \"a\"\nscopes = \"b\""), "line 7: unknown field `scopes`"),
        (rule("/b", get, "scope = \"a\"\nreveal = [\"team\"]"), "line 7: `team` in `reveal`"),
        (rule("b", get, "scope = \"a\""), "line 4: the path `b` does not begin with a slash"),
        (rule("/{a", get, "scope = \"a\""), "line 4: the path `/{a` has `{a`"),
        (rule("/a/../b", get, "scope = \"a\""), "line 4: the path `/a/../b` has a segment `..`"),
        (rule("/a//b", get, "scope = \"a\""), "line 4: the path `/a//b` has two slashes"),
        (rule("/a%2Fb", get, "scope = \"a\""), "line 4: the path `/a%2Fb` has a %"),
        (rule("/b", "[]", "scope = \"a\""), "line 5: `methods` is empty"),
        (rule("/b", r#"["get"]"#, "scope = \"a\""), "line 5: `get` is no method"),
        (rule("/b", r#"["GET", "*"]"#, "scope = \"a\""), "line 5: `*` is no method"),
        (rule("/b", r#"["GET", "HEAD"]"#, "scope = \"a\""), "line 5: `methods` has HEAD twice"),
        (two("/{a}", "/{b}"), "line 8: the rule of line 4 has GET of the same paths already"),
        (two("/a/{x}", "/{y}/b"), "line 8: some paths fit `/{y}/b` and `/a/{x}` of line 4"),
        (two("/a", "/A"), "line 8: some paths fit `/A` and `/a` of line 4"),
        (rule("/", get, "scope = \"a\"").replace("[[rule]]", "public = [\"/\"]\n[[rule]]"), "line 5: the rule of line 3 has GET"),
        ("[[rule]]\npath = \"/\"\n".to_owned(), "missing field `methods`"),
        ("x = 1\n".to_owned(), "line 3: unknown field `x`"),
        ("[[rule]\n".to_owned(), "line 3: "),
    ] {
        let found = Rules::parse(&format!("{HEAD}{text}")).unwrap_err().to_string();
        assert!(found.contains(said), "{text}\n{found}");
    }
    for (text, said) in [
        ("origin = \"https://a.example\"", "missing field `falconer`"),
        ("falconer = \"auth\"\norigin = \"https://a.example\"", "line 1: Falconer's root URL cannot be used"),
        ("falconer = \"https://auth.example\"\norigin = \"https://a.example/x\"", "more than an origin"),
        ("falconer = \"https://auth.example\"\norigin = []", "line 2: `origin` names no origin"),
        ("falconer = \"https://auth.example\"\norigin = 7", "line 2: "),
    ] {
        let found = Rules::parse(text).unwrap_err().to_string();
        assert!(found.contains(said), "{text}\n{found}");
    }
}

/// Some were taken for the next number that fits, without a word, and a large one of minutes was a panic.
#[test]
fn a_number_out_of_its_bounds_is_a_mistake() {
    let with = |line: &str| Rules::parse(&format!("{HEAD}{line}\n{}", rule("/b", r#"["GET"]"#, "scope = \"a\"")));
    for (name, good, bad) in [
        ("connections_per_address", [1, 4_294_967_295], [0, 4_294_967_296]),
        ("questions_per_address", [1, 4_294_967_295], [0, 4_294_967_296]),
        ("recheck_seconds", [1, 900], [0, 901]),
        ("falconer_timeout_ms", [1, 60_000], [0, 60_001]),
        ("renew_minutes", [0, 527_040], [527_041, 400_000_000_000_000_000_i64]),
    ] {
        let line =
            |number: i64| if name == "renew_minutes" { format!("[session]\n{name} = {number}") } else { format!("{name} = {number}") };
        for number in good {
            with(&line(number)).unwrap();
        }
        for number in bad {
            let found = with(&line(number)).unwrap_err().to_string();
            let at = if name == "renew_minutes" { 4 } else { 3 };
            assert!(found.contains(&format!("line {at}: `{name}` is {number}, and has to be from {} to {}", good[0], good[1])), "{found}");
        }
        assert!(with(&line(-1)).unwrap_err().to_string().contains("line"), "{name}");
    }
}

#[test]
fn all_mistakes_are_said_at_once() {
    let text = format!("{HEAD}{}{}", rule("b", r#"["get"]"#, "scope = \"a\""), rule("/c", r#"["GET"]"#, "scope = \"\""));
    assert_eq!(Rules::parse(&text).unwrap_err().to_string().lines().count(), 3);
}

/// Many services serve `/admin` for `/admin/` too, or the other way round: what a wide rule opens does not open that.
#[test]
fn a_slash_at_the_end_leads_to_no_wider_rule() {
    let get = r#"["GET"]"#;
    let open = rule("/{*rest}", get, "public = true");
    let found = |rules: &str, path: &str| {
        let rules = Rules::parse(&format!("{HEAD}{rules}")).unwrap();
        match rules.table.find("GET", &Target::read(path).unwrap()) {
            Ok(Found::Rule(rule, _)) => rule.pattern.text().to_owned(),
            Ok(Found::NoPath | Found::NoMethod) => "none".to_owned(),
            Err(bad) => format!("{bad:?}"),
        }
    };
    let admin = rule("/admin", get, "scope = \"a\"");
    let both = rule("/admin/", get, "scope = \"b\"") + &admin;
    for (rules, path, expected) in [
        (open.clone() + &admin, "/admin", "/admin"),
        (open.clone() + &admin, "/admin/", "Slash"),
        (open.clone() + &admin, "/admin/x", "/{*rest}"),
        (open.clone() + &admin, "/other/", "/{*rest}"),
        (open.clone() + &admin, "/", "/{*rest}"),
        (open.clone() + &admin, "/Admin/", "Slash"),
        (open.clone() + &rule("/admin/", get, "scope = \"a\""), "/admin", "Slash"),
        (open.clone() + &both, "/admin/", "/admin/"),
        (open.clone() + &both, "/admin", "/admin"),
        (open + &rule("/books/{book}", get, "scope = \"a\""), "/books/red/", "Slash"),
        (rule("/files/{*rest}", get, "scope = \"a\""), "/files/", "/files/{*rest}"),
        (rule("/files/{*rest}", get, "scope = \"a\"") + &rule("/files", get, "scope = \"b\""), "/files/", "Slash"),
        (rule("/files/{*rest}", get, "scope = \"a\"") + &rule("/files", get, "scope = \"b\""), "/files", "/files"),
    ] {
        assert_eq!(found(&rules, path), expected, "{path} {rules}");
    }
}
