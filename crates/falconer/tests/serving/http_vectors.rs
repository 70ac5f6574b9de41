//! `vectors/http-auth-api.json` against the real binary on each store: a directory of `init --bare`, the static clients, origins and the proxy that
//! the cases need, and bytes on a socket, because hosts and paths of the cases are odd on purpose.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::recorded::{
    Answer, HOST, NOTIFY, NOTIFY_SCOPE, NOTIFY_TOKEN, ORIGINS, PORT, PROXY, ROOT, ROOT_TOKEN, Request, Session, WEBSOCKTUNNEL_SECRET, Whole,
};
use crate::support::place::Place;
use crate::support::ports::HeldPort;

#[tokio::test(flavor = "multi_thread")]
async fn the_recorded_session_on_each_store() {
    for place in Place::each().await {
        place.init(&["--bare"]);
        let file = place.file_with("falconer.toml", &settings());
        // The origin is the session's, so the port has to be known before.
        let port = HeldPort::new();
        let address = port.address();
        let mut command = place.command(&["serve", "--config", file.to_str().unwrap(), "--listen", &address.to_string()]);
        command.stderr(std::process::Stdio::null());
        let mut server = crate::support::Server::of(command);
        let mut session = Session::with(Whole::Server);
        for case in session.cases() {
            #[expect(clippy::disallowed_methods, reason = "the server under test has the system's clock")]
            let now_ms = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
            let request = session.request(&case, now_ms);
            session.judge(&case, &exchange(address, &request));
        }
        assert!(server.lives());
        assert_eq!(server.end(), Some(0));
        session.end(&format!("real binary on {}", place.store()));
    }
}

fn settings() -> String {
    let client = |id: &str, token: &str, scope: &str, description: &str| {
        format!("[[static_client]]\nclient_id = {id:?}\naccess_token = {token:?}\nscopes = [{scope:?}]\ndescription = {description:?}\n")
    };
    format!(
        "root_url = \"http://{HOST}:{PORT}\"\nhawk_origins = {ORIGINS:?}\ntrusted_proxies = [{PROXY:?}]\nwebsocktunnel_secret = {WEBSOCKTUNNEL_SECRET:?}\n{}{}",
        client(ROOT, ROOT_TOKEN, "*", "root"),
        client(NOTIFY, NOTIFY_TOKEN, NOTIFY_SCOPE, "Internal client"),
    )
}

/// One request on a connection of its own.
fn exchange(address: SocketAddr, request: &Request) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(crate::support::patience::patience())).unwrap();
    let mut head = format!("{} {} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", request.method, request.path, request.host);
    for (name, value) in &request.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(body) = &request.body {
        head.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    // The server may refuse before it has read all; then writing fails and the answer is what counts.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(request.body.as_deref().unwrap_or_default()));
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    let end = all
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap_or_else(|| panic!("no answer to {} {}", request.method, request.path));
    let head = String::from_utf8(all[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(": ").unwrap_or_else(|| panic!("{line}")))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    let body = &all[end + 4..];
    Answer::new(status, headers, if chunked { of_chunks(body) } else { body.to_vec() })
}

fn of_chunks(mut rest: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    loop {
        let line = rest.windows(2).position(|window| window == b"\r\n").expect("a chunk has a size");
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
        if size == 0 {
            return whole;
        }
        whole.extend_from_slice(&rest[line + 2..line + 2 + size]);
        rest = &rest[line + 2 + size + 2..];
    }
}
