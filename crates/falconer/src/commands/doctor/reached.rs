//! The server as everybody reaches it: at its root URL, through whatever stands before it.

use std::error::Error as _;

use falconer_auth::ROOT_CLIENT;
use falconer_client::{Client, Credentials, Error, Method, Retry};
use falconer_login::TlsFault;
use serde_json::Value;

use super::finding::{Finding, within};
use crate::commands::operator::LocalOptions;
use crate::commands::user::tls_problem;
use crate::node::Node;

/// More than proxies let through unless they are told to, and less than Falconer takes of somebody who signs.
const LARGE_BODY: usize = 2 * 1024 * 1024;
/// The same of the head: a certificate with many scopes is as long.
const LONG_HEAD: usize = 12 * 1024;

pub async fn look(local: &LocalOptions) -> Vec<Finding> {
    let (node, origin) = match within(local.open()).await {
        Ok(Ok(opened)) => opened,
        Ok(Err(error)) => return vec![Finding::wrong("database", format!("{error:#}"), "the server can't open it either")],
        Err(why) => return vec![Finding::wrong("database", why, "is it overloaded, or locked by something?")],
    };
    let root_url = origin.as_str().trim_end_matches('/').to_owned();
    let client = match client(&node, &root_url) {
        Ok(client) => client,
        Err(finding) => return vec![finding],
    };
    let mut findings = vec![];
    match within(client.current_scopes()).await {
        Ok(Ok(_)) => findings.push(Finding::ok("root URL", format!("{root_url} is answered by this very server"))),
        Ok(Err(error)) => {
            findings.push(unreached(&root_url, &error));
            return findings;
        }
        Err(why) => {
            return vec![Finding::wrong("root URL", format!("{root_url}: {why}"), "does the server run, and does the proxy reach it?")];
        }
    }
    findings.extend(super::certificate::look(&root_url).await);
    findings.push(version(&client, &root_url).await);
    findings.push(large_body(&client, &root_url).await);
    findings.push(long_head(&client, &root_url).await);
    findings
}

/// Signs as the root client: only a server with this database and these keys can verify that, at the host and port that were signed.
fn client(node: &Node, root_url: &str) -> Result<Client, Finding> {
    let directory = node.auth.directory();
    let Some(root) = directory.client(ROOT_CLIENT).filter(|root| !root.is_disabled()) else {
        let found = format!("not asked: there is no {ROOT_CLIENT} to sign with");
        return Err(Finding::look(
            "root URL",
            found,
            "`falconer root-reset` makes its token anew; a disabled one is enabled with `falconer client enable`",
        ));
    };
    let once = Retry { tries: 1, ..Retry::default() };
    let client = Client::new(root_url).map_err(|error| Finding::wrong("root URL", error.to_string(), "mend root_url"))?;
    Ok(client.with_retry(once).with_credentials(Credentials::new(ROOT_CLIENT, root.record().access_token.expose())))
}

fn unreached(root_url: &str, error: &Error) -> Finding {
    let todo = match error {
        Error::Api { status: 401, body, .. } if !body.is_null() => {
            "a Falconer answers that does not know this signature: another installation, or a proxy that changes host, port or path. Let the proxy pass on the Host header \
             as it came (nginx: `proxy_set_header Host $http_host`), and root_url be what browsers write; other origins go into hawk_origins"
                .to_owned()
        }
        Error::Api { status: 503, body, .. } if !body.is_null() => "the server says that it can't answer: see its log and /__heartbeat__".to_owned(),
        Error::Api { .. } | Error::Answer { .. } => "something else answers there, or a proxy that does not reach the server: see its log".to_owned(),
        other => other.source().and_then(TlsFault::below).map(tls_problem).map_or_else(
            || "does the server run, does the name lead here, and does the proxy listen? /__heartbeat__ at the address of `listen` asks it without a proxy".to_owned(),
            str::to_owned,
        ),
    };
    Finding::wrong("root URL", format!("{root_url}: {error}"), todo)
}

async fn version(client: &Client, root_url: &str) -> Finding {
    let answer = within(client.fetch(&Method::GET, &format!("{root_url}/__version__"), None)).await;
    let version = answer.ok().and_then(Result::ok).and_then(|text| serde_json::from_slice::<Value>(&text).ok());
    let text = |name: &str| version.as_ref().and_then(|version| version.get(name)).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (theirs, ours) = (text("version"), env!("CARGO_PKG_VERSION"));
    let (their_commit, our_commit) = (text("commit"), env!("FALCONER_BUILT_COMMIT"));
    if theirs != ours || their_commit != our_commit {
        let found = format!("the server is {theirs} {their_commit}, this program {ours} {our_commit}");
        return Finding::look("version", found, "restart the server with the binary that is installed, or use the one that runs");
    }
    Finding::ok("version", format!("the server is {theirs}, as this program"))
}

async fn large_body(client: &Client, root_url: &str) -> Finding {
    let body = format!("{{\"scopes\":[\"{}\"]}}", "x".repeat(LARGE_BODY));
    let answer = within(client.fetch(&Method::POST, &format!("{root_url}/api/auth/v1/scopes/expand"), Some(body.as_bytes()))).await;
    judged(answer, "bodies of two MiB", "let the proxy pass bodies of up to 10 MiB (nginx: `client_max_body_size 10m`)")
}

async fn long_head(client: &Client, root_url: &str) -> Finding {
    let url = format!("{root_url}/api/auth/v1/ping?doctor={}", "x".repeat(LONG_HEAD));
    let answer = within(client.fetch(&Method::GET, &url, None)).await;
    judged(answer, "heads of 12 KiB", "let the proxy pass heads of up to 16 KiB (nginx: `large_client_header_buffers 4 16k`)")
}

/// Falconer's own word, whatever it is, shows that what was sent has arrived.
fn judged(answer: Result<Result<Vec<u8>, Error>, String>, what: &'static str, todo: &str) -> Finding {
    match answer {
        Ok(Ok(_)) => Finding::ok("proxy", format!("{what} arrive")),
        Ok(Err(Error::Api { body, .. })) if body.get("requestInfo").is_some() || body.get("code").is_some() => {
            Finding::ok("proxy", format!("{what} arrive"))
        }
        Ok(Err(error)) => Finding::look("proxy", format!("{what} do not arrive: {error}"), todo),
        Err(why) => Finding::look("proxy", format!("{what} do not arrive: {why}"), todo),
    }
}
