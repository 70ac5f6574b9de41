//! Answers that OpenLDAP would not give. Each case changes one answer of a sign-in that works, and nobody is signed in, for exactly that reason.

use std::time::Duration;

use falconer_login::Fault;
use falconer_login::ldap::{LdapError, LdapSettings};

use crate::ask::{LONGEST, refresh, sign_in};
use crate::server::{Question, Reply, SHORT, Script, element, entry, lying, message, page_end, result};

const BIND: u8 = 0x60;
const SEARCH: u8 = 0x63;
const ANN: &str = "uid=ann,ou=people,dc=example,dc=com";

/// The case, how questions are answered, and whether the reason is the right one.
type Row = (&'static str, Script, fn(&LdapError) -> bool);

macro_rules! row {
    ($name:expr, $script:expr, $reason:pat) => {
        ($name, $script, |error| matches!(error, $reason))
    };
}

/// A server that does everything right.
fn honest(question: &Question) -> Reply {
    Reply::Bytes(match question.tag {
        BIND => result(question.id, 0x61, 0),
        _ => [entry(question.id, ANN, &[("entryUUID", &[b"1"]), ("uid", &[b"ann"])]), result(question.id, 0x65, 0)].concat(),
    })
}

fn is_persons_bind(question: &Question) -> bool {
    question.tag == BIND && question.holds("secret of ann")
}

/// Something else for the search.
fn found(question: &Question, entries: impl FnOnce(u8) -> Vec<Vec<u8>>) -> Reply {
    if question.tag != SEARCH {
        return honest(question);
    }
    Reply::Bytes([entries(question.id).concat(), result(question.id, 0x65, 0)].concat())
}

/// One entry with these values of `entryUUID`.
fn subjects(question: &Question, values: &[&[u8]]) -> Reply {
    found(question, |id| vec![entry(id, ANN, &[("entryUUID", values)])])
}

/// An entry of this name.
fn named(question: &Question, dn: &str) -> Reply {
    found(question, |id| vec![entry(id, dn, &[("entryUUID", &[b"1"])])])
}

/// Other bytes instead of the answer to the search.
fn raw(question: &Question, bytes: impl FnOnce(u8) -> Vec<u8>) -> Reply {
    if question.tag == SEARCH { Reply::Bytes(bytes(question.id)) } else { honest(question) }
}

/// Another code for the bind of the person.
fn code(question: &Question, code: u8) -> Reply {
    if is_persons_bind(question) { Reply::Bytes(result(question.id, 0x61, code)) } else { honest(question) }
}

fn done(id: u8) -> Vec<u8> {
    result(id, 0x65, 0)
}

fn deep() -> Vec<u8> {
    (0..30_000_u32).rev().flat_map(|level| [&[0x30, 0x84][..], &(6 * level).to_be_bytes()].concat()).collect()
}

const ENTRIES: &[Row] = &[
    row!("an entry without a name: its bind would be nobody's", |q| named(q, ""), LdapError::Dn(_)),
    row!("an entry with a blank name", |q| named(q, "  "), LdapError::Dn(_)),
    row!("a name that is none", |q| named(q, "ann"), LdapError::Dn(_)),
    row!("a name with a byte 0", |q| named(q, "uid=ann\0,dc=example"), LdapError::Dn(_)),
    row!("a name that is too long", |q| named(q, &format!("uid={}", "a".repeat(5000))), LdapError::Dn(_)),
    row!("nobody", |q| found(q, |_| vec![]), LdapError::Wrong),
    row!(
        "two people",
        |q| found(q, |id| vec![entry(id, ANN, &[("entryUUID", &[b"1"])]), entry(id, "uid=eve", &[("entryUUID", &[b"2"])])]),
        LdapError::Wrong
    ),
    row!("the same one twice", |q| found(q, |id| vec![entry(id, ANN, &[("entryUUID", &[b"1"])]); 2]), LdapError::Wrong),
    row!(
        "more than were asked for",
        |q| found(q, |id| vec![entry(id, ANN, &[("entryUUID", &[b"1"])]); 3]),
        LdapError::TooManyEntries { most: 2, .. }
    ),
    row!("no id", |q| subjects(q, &[]), LdapError::Subject { .. }),
    row!("two ids", |q| subjects(q, &[b"1", b"2"]), LdapError::Subject { .. }),
    row!("an empty id", |q| subjects(q, &[b""]), LdapError::Subject { .. }),
    row!("an id of bytes", |q| subjects(q, &[b"\xff\xfe"]), LdapError::Subject { .. }),
    row!("an id with a byte 0", |q| subjects(q, &[b"1\x00"]), LdapError::Subject { .. }),
    row!("an id with a line feed", |q| subjects(q, &[b"1\n"]), LdapError::Subject { .. }),
    row!("an id beyond ASCII", |q| subjects(q, &["é".as_bytes()]), LdapError::Subject { .. }),
    row!("an id that is too long", |q| subjects(q, &[&[b'1'; 256]]), LdapError::Subject { .. }),
    row!("no attributes", |q| found(q, |id| vec![entry(id, ANN, &[])]), LdapError::Subject { .. }),
    row!(
        "an address that is no text",
        |q| found(q, |id| vec![entry(id, ANN, &[("entryUUID", &[b"1"]), ("mail", &[b"\xff@example.com"])])]),
        LdapError::NoText { .. }
    ),
    row!(
        "a username that is no text",
        |q| found(q, |id| vec![entry(id, ANN, &[("entryUUID", &[b"1"]), ("uid", &[b"\xff"])])]),
        LdapError::NoText { .. }
    ),
    row!(
        "a part of the groups",
        |q| found(q, |id| vec![entry(id, ANN, &[("entryUUID", &[b"1"]), ("memberOf;range=0-1499", &[b"cn=a,dc=com"])])]),
        LdapError::TooManyGroups(1000)
    ),
    row!(
        "more groups than are read",
        |q| found(q, |id| {
            let groups: Vec<String> = (0..1001).map(|n| format!("cn={n},ou=people,dc=example,dc=com")).collect();
            let groups: Vec<&[u8]> = groups.iter().map(|group| group.as_bytes()).collect();
            vec![entry(id, ANN, &[("entryUUID", &[b"1"]), ("memberOf", &groups)])]
        }),
        LdapError::TooManyGroups(1000)
    ),
];

const RESULTS: &[Row] = &[
    row!("49 invalid credentials", |q| code(q, 49), LdapError::Wrong),
    row!("53 unwilling to perform", |q| code(q, 53), LdapError::Wrong),
    row!("50 insufficient access", |q| code(q, 50), LdapError::Wrong),
    row!("48 inappropriate authentication", |q| code(q, 48), LdapError::Wrong),
    row!("32 no such object", |q| code(q, 32), LdapError::Wrong),
    row!("19 constraint violation: locked", |q| code(q, 19), LdapError::Wrong),
    row!("10 referral of a bind", |q| code(q, 10), LdapError::Referred("the bind of a person")),
    row!("14 SASL goes on", |q| code(q, 14), LdapError::Refused { code: 14, .. }),
    row!("13 confidentiality required", |q| code(q, 13), LdapError::Refused { code: 13, .. }),
    row!("8 stronger authentication required", |q| code(q, 8), LdapError::Refused { code: 8, .. }),
    row!("1 operations error", |q| code(q, 1), LdapError::Refused { code: 1, .. }),
    row!("80 other", |q| code(q, 80), LdapError::Refused { code: 80, .. }),
    row!("51 busy", |q| code(q, 51), LdapError::Unavailable { code: 51, .. }),
    row!("52 unavailable", |q| code(q, 52), LdapError::Unavailable { code: 52, .. }),
    row!("a code below 0", |q| code(q, 0xff), LdapError::Refused { code: -1, .. }),
    row!(
        "a code of two bytes that is 0 in the second",
        |q| {
            if !is_persons_bind(q) {
                return honest(q);
            }
            Reply::Bytes(message(q.id, &element(0x61, &[&[0x0a, 2, 1, 0], element(4, b"").as_slice(), &element(4, b"")].concat())))
        },
        LdapError::Refused { code: 256, .. }
    ),
    row!("10 referral of a search", |q| raw(q, |id| result(id, 0x65, 10)), LdapError::Referred("the search for a person")),
    row!(
        "an entry, and a referral of the rest",
        |q| raw(q, |id| [entry(id, ANN, &[("entryUUID", &[b"1"])]), result(id, 0x65, 10)].concat()),
        LdapError::Referred(_)
    ),
    row!(
        "places to go on, and nobody",
        |q| found(q, |id| vec![message(id, &element(0x73, &element(4, b"ldap://evil.example/"))); 5]),
        LdapError::Wrong
    ),
    row!(
        "places to go on without end",
        |q| found(q, |id| vec![message(id, &element(0x73, &element(4, b"ldap://evil.example/"))); 1001]),
        LdapError::Malformed(_)
    ),
    row!(
        "one entry of more",
        |q| raw(q, |id| [entry(id, ANN, &[("entryUUID", &[b"1"])]), result(id, 0x65, 4)].concat()),
        LdapError::Incomplete(_)
    ),
    row!("no entry of more", |q| raw(q, |id| result(id, 0x65, 4)), LdapError::Incomplete(_)),
    row!("3 time limit", |q| raw(q, |id| result(id, 0x65, 3)), LdapError::TooSlow),
    row!("11 administrative limit", |q| raw(q, |id| result(id, 0x65, 11)), LdapError::Refused { code: 11, .. }),
    row!("32 no such base", |q| raw(q, |id| result(id, 0x65, 32)), LdapError::Refused { code: 32, .. }),
    row!(
        "the service is refused",
        |q| if q.tag == BIND { Reply::Bytes(result(q.id, 0x61, 49)) } else { honest(q) },
        LdapError::ServiceBind { code: 49, .. }
    ),
    row!(
        "the service is referred",
        |q| if q.tag == BIND { Reply::Bytes(result(q.id, 0x61, 10)) } else { honest(q) },
        LdapError::Referred(_)
    ),
];

const BYTES: &[Row] = &[
    row!("an answer to another question", |q| raw(q, |id| done(id + 1)), LdapError::Malformed(_)),
    row!("an answer to the question before", |q| raw(q, |id| done(id - 1)), LdapError::Malformed(_)),
    row!(
        "an entry of another question",
        |q| raw(q, |id| [entry(id + 1, ANN, &[("entryUUID", &[b"1"])]), done(id)].concat()),
        LdapError::Malformed(_)
    ),
    row!("a bind is answered, not the search", |q| raw(q, |id| result(id, 0x61, 0)), LdapError::Malformed(_)),
    row!(
        "a search is answered, not the bind",
        |q| if is_persons_bind(q) { Reply::Bytes(done(q.id)) } else { honest(q) },
        LdapError::Malformed(_)
    ),
    row!(
        "an entry is answered, not the bind",
        |q| if is_persons_bind(q) { Reply::Bytes(entry(q.id, ANN, &[])) } else { honest(q) },
        LdapError::Malformed(_)
    ),
    row!(
        "an extended answer, not the bind's",
        |q| if is_persons_bind(q) { Reply::Bytes(result(q.id, 0x78, 0)) } else { honest(q) },
        LdapError::Malformed(_)
    ),
    row!("the server says goodbye", |q| raw(q, |_| result(0, 0x78, 52)), LdapError::Closed),
    row!(
        "success without a question",
        |q| if is_persons_bind(q) { Reply::Bytes(result(0, 0x61, 0)) } else { honest(q) },
        LdapError::Closed
    ),
    row!("nothing, and the end", |q| if q.tag == SEARCH { Reply::AndClose(vec![]) } else { honest(q) }, LdapError::Closed),
    row!(
        "a half answer, and the end",
        |q| if q.tag == SEARCH { Reply::AndClose(done(q.id)[..9].to_vec()) } else { honest(q) },
        LdapError::Closed
    ),
    row!(
        "a half success, and the end",
        |q| if is_persons_bind(q) { Reply::AndClose(result(q.id, 0x61, 0)[..18].to_vec()) } else { honest(q) },
        LdapError::Closed
    ),
    row!("no message", |q| raw(q, |_| b"HTTP/1.1 200 OK\r\n\r\n".to_vec()), LdapError::Malformed(_)),
    row!("a message of another tag", |q| raw(q, |_| element(0x31, &[2, 1, 2])), LdapError::Malformed(_)),
    row!("a tag of many bytes", |q| raw(q, |_| vec![0x3f, 0x81, 1, 0]), LdapError::Malformed(_)),
    row!("an indefinite length", |q| raw(q, |_| vec![0x30, 0x80, 0, 0]), LdapError::Malformed(_)),
    row!("a length of five bytes", |q| raw(q, |_| vec![0x30, 0x85, 0, 0, 0, 0, 1, 0]), LdapError::Malformed(_)),
    row!("a length of 4 GiB", |q| raw(q, |_| vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), LdapError::TooLarge),
    row!("a message of more than 512 KiB", |q| raw(q, |id| message(id, &vec![0; 600_000])), LdapError::TooLarge),
    row!("an empty message", |q| raw(q, |_| element(0x30, b"")), LdapError::Malformed(_)),
    row!("a message without an answer", |q| raw(q, |id| element(0x30, &[2, 1, id])), LdapError::Malformed(_)),
    row!("an id of five bytes", |q| raw(q, |_| element(0x30, &[2, 5, 0, 0, 0, 0, 2, 0x65, 0])), LdapError::Malformed(_)),
    row!("an id without bytes", |q| raw(q, |_| element(0x30, &[2, 0, 0x65, 0])), LdapError::Malformed(_)),
    row!("a result without anything", |q| raw(q, |id| message(id, &element(0x65, b""))), LdapError::Malformed(_)),
    row!("a result of a code alone", |q| raw(q, |id| message(id, &element(0x65, &[0x0a, 1, 0]))), LdapError::Malformed(_)),
    row!("a code that is no code", |q| raw(q, |id| message(id, &element(0x65, &[2, 1, 0, 4, 0, 4, 0]))), LdapError::Malformed(_)),
    row!("an entry without a list", |q| raw(q, |id| message(id, &element(0x64, &element(4, b"cn=a")))), LdapError::Malformed(_)),
    row!("an entry that is longer than its message", |q| raw(q, |id| message(id, &[0x64, 0x20, 4, 1, b'a'])), LdapError::Malformed(_)),
    row!(
        "lists in lists, 30,000 deep",
        |q| raw(q, |id| message(id, &element(0x64, &[element(4, b"cn=a"), deep()].concat()))),
        LdapError::Malformed(_)
    ),
    row!("lists in lists instead of a message", |q| raw(q, |_| deep()), LdapError::Malformed(_)),
    row!(
        "more than 8 MiB in pieces",
        |q| raw(q, |id| {
            let much = vec![b'x'; 400_000];
            message(id, &[element(0x73, &much)].concat()).repeat(25)
        }),
        LdapError::TooLarge
    ),
    row!("one byte at a time", |q| if q.tag == SEARCH { Reply::Slowly(done(q.id)) } else { honest(q) }, LdapError::TooSlow),
    row!("no answer to the search", |q| if q.tag == SEARCH { Reply::Nothing } else { honest(q) }, LdapError::TooSlow),
    row!("no answer to the bind", |q| if is_persons_bind(q) { Reply::Nothing } else { honest(q) }, LdapError::TooSlow),
    row!("no answer at all", |_| Reply::Nothing, LdapError::TooSlow),
];

/// The groups are searched for with a filter.
const GROUPS: &[Row] = &[
    row!("pages without end", |q| groups(q, |id| page_end(id, b"again")), LdapError::Malformed("there is no end of pages")),
    row!(
        "more groups than are read, on pages",
        |q| groups(q, |id| {
            let some: Vec<u8> = (0..100).flat_map(|n| entry(id, &format!("cn={n},ou=people,dc=example,dc=com"), &[])).collect();
            [some, page_end(id, b"again")].concat()
        }),
        LdapError::TooManyEntries { most: 1000, .. }
    ),
    row!("a part of the groups that a filter finds", |q| groups(q, |id| result(id, 0x65, 4)), LdapError::Incomplete(_)),
    row!("the groups are elsewhere", |q| groups(q, |id| result(id, 0x65, 10)), LdapError::Referred("the groups of a person")),
    row!("a group without a name", |q| groups(q, |id| [entry(id, "", &[]), done(id)].concat()), LdapError::Dn(_)),
    row!(
        "a group called what is no text",
        |q| groups(q, |id| [entry(id, "cn=a,ou=people,dc=example,dc=com", &[("cn", &[b"\xff"])]), done(id)].concat()),
        LdapError::NoText { .. }
    ),
    row!("no control where a page was asked for, and no end", |q| groups(q, |_| Vec::new()), LdapError::TooSlow),
    row!(
        "a control that is none",
        |q| groups(q, |id| {
            let done = element(0x65, &[&[0x0a, 1, 0], element(4, b"").as_slice(), &element(4, b"")].concat());
            message(id, &[done, element(0xa0, &element(0x30, &element(4, b"1.2.840.113556.1.4.319")))].concat())
        }),
        LdapError::Malformed(_)
    ),
];

fn groups(question: &Question, answer: impl FnOnce(u8) -> Vec<u8>) -> Reply {
    if question.tag == SEARCH && question.holds("groupOfNames") { Reply::Bytes(answer(question.id)) } else { honest(question) }
}

const START_TLS: &[Row] = &[
    row!("the server has no TLS", |q| Reply::Bytes(result(q.id, 0x78, 2)), LdapError::NoTls { code: 2, .. }),
    row!("the server refers elsewhere", |q| Reply::Bytes(result(q.id, 0x78, 10)), LdapError::NoTls { code: 10, .. }),
    row!("another answer", |q| Reply::Bytes(result(q.id, 0x61, 0)), LdapError::Malformed(_)),
    row!(
        "something between the answer and TLS",
        |q| Reply::Bytes([result(q.id, 0x78, 0), result(2, 0x61, 0)].concat()),
        LdapError::BeforeTls
    ),
    row!("no TLS after the answer", |q| Reply::AndClose(result(q.id, 0x78, 0)), LdapError::Closed),
    row!("the end instead of an answer", |_| Reply::AndClose(Vec::new()), LdapError::Closed),
];

/// Only where nothing comes the time is short.
fn waiting_for(is_the_reason: &fn(&LdapError) -> bool, change: fn(&mut LdapSettings)) -> impl FnOnce(&mut LdapSettings) {
    let is_slow = is_the_reason(&LdapError::TooSlow);
    move |settings| {
        change(settings);
        if is_slow {
            settings.timeout = SHORT;
        }
    }
}

async fn wrong(rows: &[Row], change: fn(&mut LdapSettings)) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, script, is_the_reason) in rows {
        let directory = lying(*script, waiting_for(is_the_reason, change)).await;
        match sign_in(&directory, "ann", "secret of ann").await {
            Ok(person) => wrong.push(format!("{name}: {person:?} was signed in")),
            Err(error) if is_the_reason(&error) => {}
            Err(error) => wrong.push(format!("{name}: {error:?}")),
        }
    }
    wrong
}

#[tokio::test]
async fn no_hostile_answer_signs_anybody_in() {
    let memberof: fn(&mut LdapSettings) = |settings| settings.groups.memberof = Some("memberOf".into());
    let by_filter: fn(&mut LdapSettings) = |settings| settings.groups.filter = Some("(&(objectClass=groupOfNames)(member={dn}))".into());
    let start_tls: fn(&mut LdapSettings) = |settings| settings.start_tls = None;
    let fine = sign_in(&lying(honest, memberof).await, "ann", "secret of ann").await.unwrap();
    assert_eq!((fine.subject.as_str(), fine.username.as_deref()), ("1", Some("ann")));
    let (entries, results, bytes, groups, tls) = tokio::join!(
        wrong(ENTRIES, memberof),
        wrong(RESULTS, memberof),
        wrong(BYTES, memberof),
        wrong(GROUPS, by_filter),
        wrong(START_TLS, start_tls)
    );
    let found = [entries, results, bytes, groups, tls].concat();
    assert!(found.is_empty(), "{}", found.join("\n"));
    let count = [ENTRIES, RESULTS, BYTES, GROUPS, START_TLS].iter().map(|rows| rows.len()).sum::<usize>();
    assert_eq!(count, 98);
}

/// Of all these answers none says that somebody is gone: only a search that ends well and finds nobody, in a directory where others can be seen, does.
#[tokio::test]
async fn no_hostile_answer_ends_anybody() {
    let memberof: fn(&mut LdapSettings) = |settings| settings.groups.memberof = Some("memberOf".into());
    let mut ended = Vec::new();
    for (name, script, is_the_reason) in [ENTRIES, BYTES, RESULTS].concat() {
        let directory = lying(script, waiting_for(&is_the_reason, memberof)).await;
        let found = refresh(&directory, "1").await;
        if found == Ok(None) {
            ended.push(name);
        }
    }
    assert!(ended.is_empty(), "{ended:?}");
}

/// What can be waited for is told apart from what somebody has to look at.
#[tokio::test]
async fn whose_fault_it_is() {
    let fault_within = async |timeout: Duration, script: Script| {
        let directory = lying(script, |settings| settings.timeout = timeout).await;
        sign_in(&directory, "ann", "secret of ann").await.unwrap_err().fault()
    };
    let fault = async |script| fault_within(LONGEST, script).await;
    assert_eq!(fault(|q| code(q, 49)).await, Fault::Person);
    assert_eq!(fault(|q| code(q, 52)).await, Fault::Away);
    assert_eq!(fault(|_| Reply::AndClose(Vec::new())).await, Fault::Away);
    assert_eq!(fault_within(SHORT, |_| Reply::Nothing).await, Fault::Away);
    assert_eq!(fault(|q| named(q, "")).await, Fault::Provider);
    assert_eq!(fault(|q| raw(q, |_| deep())).await, Fault::Provider);
}
