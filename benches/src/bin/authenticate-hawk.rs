//! CPU per `authenticateHawk` request of the real binary, and the ratio to bare hyper that reads and answers the same bytes in the same
//! run. `cargo xtask bench` builds and starts it.
//!
//! The rows: a client with 10 scopes that expand to 30; the same with a named temporary credential; a wrong MAC; an unknown client.

use std::process::Command;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use falconer_benches::process::Server;
use falconer_benches::{floor, load};
use falconer_credentials::{AccessToken, sign, temporary};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const CONNECTIONS: usize = 16;
const POOL: usize = 4_000;

fn main() -> Result<()> {
    let threads = std::thread::available_parallelism()?.get();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    runtime.block_on(async {
        match std::env::args().nth(1).as_deref() {
            Some("floor") => {
                let answer = std::fs::read(std::env::args().nth(2).context("floor FILE")?)?;
                floor::serve(answer.into()).await
            }
            _ => measure().await,
        }
    })
}

/// One kind of request, and what a right answer to it contains.
struct Row {
    name: &'static str,
    pool: Arc<Vec<Vec<u8>>>,
    expect: &'static str,
}

async fn measure() -> Result<()> {
    let binary = std::env::var("FALCONER_BIN").context("FALCONER_BIN must name the release binary")?;
    let seconds: u32 = std::env::var("BENCH_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(10);
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let made = Command::new(&binary).arg("init").arg("--data-dir").arg(&data).arg("--json").output()?;
    let init: Value = serde_json::from_slice(&made.stdout).context("falconer init printed no JSON")?;
    let root = (text(&init, "clientId"), AccessToken::new(text(&init, "accessToken")));
    let mut command = Command::new(&binary);
    command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(&data);
    let server = Server::start(command)?;

    let (client, token) = prepare(&server, &root).await?;
    let rows = rows(&server.address, &client, &token)?;

    println!("| request | requests/s | CPU a request | floor | ratio | p50 | p99 | max | resident |");
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for row in rows {
        let figures = load::run(&server, row.pool.clone(), CONNECTIONS, seconds, row.expect).await?;
        let floor = floor_for(&server.address, &row, folder.path(), seconds).await?;
        println!(
            "| {} | {:.0} | {:.1} us | {:.1} us | {:.2} | {} us | {} us | {} us | {:.1} MB |",
            row.name,
            figures.rate,
            figures.cpu_us,
            floor,
            figures.cpu_us / floor,
            figures.p50_us,
            figures.p99_us,
            figures.max_us,
            figures.resident_kib as f64 / 1024.0
        );
    }
    println!("\n{CONNECTIONS} connections, closed loop, {seconds} s a row, {} cores", std::thread::available_parallelism()?);
    Ok(())
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Bare hyper with the very bytes of this row's answer.
async fn floor_for(address: &str, row: &Row, folder: &std::path::Path, seconds: u32) -> Result<f64> {
    let mut stream = TcpStream::connect(address).await?;
    let mut buffer = vec![0_u8; 64 * 1024];
    stream.write_all(row.pool.first().context("empty pool")?).await?;
    let answer = load::read_answer(&mut stream, &mut buffer).await?.to_vec();
    let file = folder.join("answer");
    std::fs::write(&file, answer)?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("floor").arg(&file);
    let floor = Server::start(command)?;
    Ok(load::run(&floor, row.pool.clone(), CONNECTIONS, seconds, row.expect).await?.cpu_us)
}

/// A role that turns 10 scopes into 30, and a client that has it.
async fn prepare(server: &Server, root: &(String, AccessToken)) -> Result<(String, AccessToken)> {
    let granted: Vec<String> = (0..20).map(|n| format!("bench:granted:{n}:<..>")).collect();
    let role = json!({"description": "", "scopes": granted});
    call(server, root, "PUT", "/api/auth/v1/roles/bench%3A*", &role).await?;
    let mut scopes: Vec<String> = (0..9).map(|n| format!("bench:own:{n}")).collect();
    scopes.push("assume:bench:x".to_owned());
    scopes.push("auth:create-client:bench/*".to_owned());
    let client = json!({"description": "", "expires": "2100-01-01T00:00:00.000Z", "scopes": scopes});
    let made = call(server, root, "PUT", "/api/auth/v1/clients/bench%2Fclient", &client).await?;
    let token = text(&made, "accessToken");
    if token.is_empty() {
        bail!("createClient answered {made}");
    }
    Ok(("bench/client".to_owned(), AccessToken::new(token)))
}

async fn call(server: &Server, (id, token): &(String, AccessToken), method: &str, path: &str, body: &Value) -> Result<Value> {
    let (host, port) = host_and_port(&server.address)?;
    let header = sign::header(id, token, &request(method, path, host, port, &nonce()?, None)?);
    let body = body.to_string();
    let text = format!(
        "{method} {path} HTTP/1.1\r\nhost: {}\r\nauthorization: {header}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        server.address,
        body.len()
    );
    let mut stream = TcpStream::connect(&server.address).await?;
    stream.write_all(text.as_bytes()).await?;
    let mut buffer = vec![0_u8; 64 * 1024];
    Ok(serde_json::from_slice(load::read_answer(&mut stream, &mut buffer).await?)?)
}

fn host_and_port(address: &str) -> Result<(&str, u16)> {
    let (host, port) = address.rsplit_once(':').context("no port")?;
    Ok((host, port.parse()?))
}

fn rows(address: &str, client: &str, token: &AccessToken) -> Result<Vec<Row>> {
    let now = now_ms()?;
    let seed = format!("{}{}", slugid()?, slugid()?);
    let ten: Vec<String> = (0..9).map(|n| format!("bench:own:{n}")).chain(["assume:bench:x".to_owned()]).collect();
    let named = temporary::create(client, token, Some("bench/named"), &ten, now - 60_000, now + 3_600_000, &seed)?;
    let ext = sign::ext(Some(&named.certificate), None);
    let wrong = AccessToken::new("w".repeat(44));
    let row = |name, id: &str, key: &AccessToken, ext: Option<&str>, expect| -> Result<Row> {
        let pool: Result<Vec<Vec<u8>>> = (0..POOL).map(|_| authenticate_hawk(address, id, key, ext)).collect();
        Ok(Row { name, pool: Arc::new(pool?), expect })
    };
    Ok(vec![
        row("client with 10 scopes that expand to 30", client, token, None, "auth-success")?,
        row("named temporary credential, 10 scopes", &named.client_id, &named.access_token, ext.as_deref(), "auth-success")?,
        row("wrong MAC", client, &wrong, None, "Bad mac")?,
        row("unknown client", "nobody", &wrong, None, "Bad mac")?,
    ])
}

/// A ready-made request to authenticateHawk, with the headers that the published JavaScript client sends.
fn authenticate_hawk(address: &str, id: &str, key: &AccessToken, ext: Option<&str>) -> Result<Vec<u8>> {
    let resource = format!("/api/notes/v1/books/{}", slugid()?);
    let header = sign::header(id, key, &request("GET", &resource, "notes.example.com", 443, &nonce()?, ext)?);
    let body = json!({
        "method": "get", "resource": resource, "host": "notes.example.com", "port": 443, "authorization": header, "sourceIp": "127.0.0.1",
    })
    .to_string();
    Ok(format!(
        "POST /api/auth/v1/authenticate-hawk HTTP/1.1\r\nuser-agent: got (https://github.com/sindresorhus/got)\r\naccept: application/json\r\n\
         content-type: application/json\r\ncontent-length: {}\r\naccept-encoding: gzip, deflate, br\r\nhost: {address}\r\nconnection: keep-alive\r\n\r\n{body}",
        body.len()
    )
    .into_bytes())
}

fn request<'a>(
    method: &'a str,
    resource: &'a str,
    host: &'a str,
    port: u16,
    nonce: &'a str,
    ext: Option<&'a str>,
) -> Result<sign::Request<'a>> {
    Ok(sign::Request { method, resource, host, port, ts_seconds: now_ms()? / 1000, nonce, hash: None, ext, app: None, dlg: None })
}

#[expect(clippy::disallowed_methods, reason = "a load generator is the edge: it signs with the real time")]
fn now_ms() -> Result<i64> {
    Ok(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?)
}

#[expect(clippy::disallowed_methods, reason = "a load generator is the edge: it draws real nonces")]
fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0_u8; N];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(bytes)
}

fn slugid() -> Result<String> {
    Ok(falconer_credentials::slugid(random::<16>()?))
}

fn nonce() -> Result<String> {
    Ok(slugid()?.chars().take(8).collect())
}
