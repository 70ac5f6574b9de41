//! `vectors/http-auth-api.json` in process: one session of 291 requests against a fresh node, in file order. `recorded` says what is compared; the
//! binary's crate runs the same against the real server.

use crate::recorded::{NOTIFY, NOTIFY_SCOPE, NOTIFY_TOKEN, ORIGINS, PROXY, ROOT, ROOT_TOKEN, Session, WEBSOCKTUNNEL_SECRET, Whole};
use crate::support::{call, node_configured, static_client};

#[tokio::test]
async fn the_recorded_session() {
    let clients =
        vec![static_client(ROOT, ROOT_TOKEN, &["*"], "root"), static_client(NOTIFY, NOTIFY_TOKEN, &[NOTIFY_SCOPE], "Internal client")];
    let secret = falconer_auth::Secret::new(WEBSOCKTUNNEL_SECRET);
    let node = node_configured(clients, &ORIGINS, &[PROXY], |settings| settings.websocktunnel_secret = Some(secret)).await;
    let mut session = Session::with(Whole::Api);
    for case in session.cases() {
        let request = session.request(&case, node.now_ms());
        let mut call = call(&request.method, &request.path);
        (call.host, call.headers, call.body) = (request.host, request.headers, request.body);
        let answer = node.send(call).await;
        let headers = answer.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
        session.judge(&case, &crate::recorded::Answer::new(answer.status.as_u16(), headers, answer.bytes));
        // The reference took a few milliseconds for each; nothing may depend on two instants being equal.
        node.advance(7);
    }
    session.end("in process");
}

#[test]
fn every_difference_names_existing_cases_once() {
    crate::recorded::check_differences();
}
