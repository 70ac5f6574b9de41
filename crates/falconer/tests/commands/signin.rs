//! `falconer signin` where nobody will ever press Grant: it says so at once instead of waiting for its whole timeout.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use falconer_client::Credentials;

use crate::support::browser::{Browser, fields, put};
use crate::support::foreign::{Deployment, Page, Records};
use crate::support::patience::{Lines, output_of_child, patience};
use crate::support::ports::HeldPort;
use crate::support::user::{Shell, command_with_input, eventually};
use crate::support::world::{World, world, world_with};
use crate::support::{Server, falconer, init};

/// The timeout of `signin` is longer than any test waits: each of these ended only with it.
const SIGNIN: &[&str] = &["signin", "--no-browser", "--timeout", "100000"];

#[test]
fn a_server_that_is_away_is_said_at_once() {
    let nobody = HeldPort::new();
    Shell::at(&format!("http://{}", nobody.address())).run(SIGNIN).refused(1, "does the server run there");
    let other = Deployment::start(Records::default(), |_, _| ());
    Shell::at(&other.root_url).run(SIGNIN).refused(1, "is it the root URL of a Falconer?");
    // A page that answers everything was opened, and nobody could press Grant on it.
    let page = Page::start("200 OK", "");
    Shell::at(&page).run(SIGNIN).refused(1, "is it the root URL of a Falconer?");
    Shell::at(&page).run(&[SIGNIN, &["--scope", " bad"]].concat()).refused(2, "begins or ends with a space");
}

/// The page refuses such a request, and nobody told the command line.
#[test]
fn a_request_that_the_page_refuses_is_said_at_once() {
    let folder = tempfile::tempdir().unwrap();
    init(&folder.path().join("data"));
    let server = Server::start(&folder.path().join("data"));
    let shell = Shell::at(&server.root_url);
    shell.run(&[SIGNIN, &["--scope", "notes:r\u{e9}ad"]].concat()).refused(2, "printable ASCII");
    shell.run(&[SIGNIN, &["--scope", ""]].concat()).refused(1, "leave it out to ask for no particular scopes");
    shell.run(&[SIGNIN, &["--description", &"x".repeat(3000)]].concat()).refused(1, "more than 2 KiB");
}

/// Her browser, signed in.
fn ann<'s>(server: &'s Server, data: &Path) -> Browser<'s> {
    let password = "a few good words";
    command_with_input(&["account", "create", "ann", "--password-stdin", "--data-dir", data.to_str().unwrap()], password).ok();
    let mut browser = Browser::new(server);
    eventually("ann can sign in", || browser.sign_in("ann", password).then_some(()));
    browser
}

/// What the browser does at the address that the page leads it to.
fn arrive(location: &str) -> String {
    let callback = url::Url::parse(location).unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", callback.port().unwrap())).unwrap();
    stream.set_read_timeout(Some(patience())).unwrap();
    write!(stream, "GET {}?{} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n", callback.path(), callback.query().unwrap()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn signin(world: &World, more: &[&str]) -> Command {
    let mut command = falconer();
    command.args(["signin", "--timeout", "100000", "--root-url", &world.server.root_url]).args(more);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Cancel stayed on the page, and the command waited on. By the page of every site, where the server does not let the command line ask as itself.
#[test]
fn cancel_reaches_the_command_line() {
    let world = world_with("[grant]\ncommand_line = 'off'\n");
    let mut browser = ann(&world.server, &world.data);
    let mut child = signin(&world, &["--no-browser"]).spawn().unwrap();
    let lines = Lines::of(child.stderr.take().unwrap(), "signin");
    let address = lines.with("target=").trim().to_owned();
    let page = browser.get(address.strip_prefix(&world.server.root_url).unwrap());
    let cancelled = browser.post("/grant/cancel", &fields(&page.body, "/grant"));
    assert_eq!(cancelled.status, 303, "{cancelled:?}");
    let answer = arrive(&cancelled.location);
    assert!(answer.contains("Nothing was granted"), "{answer}");
    lines.with("Cancel was pressed");
    let output = output_of_child(child, "signin after Cancel");
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), b"".as_slice()));
}

/// What `eval "$(falconer signin)"` reads, as JSON.
fn printed(child: std::process::Child) -> Credentials {
    let output = output_of_child(child, "signin that prints");
    assert_eq!(output.status.code(), Some(0));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let value = |name: &str| found[name].as_str().unwrap().to_owned();
    Credentials::new(value("clientId"), value("accessToken")).with_certificate(value("certificate")).unwrap()
}

/// Story: lines for a shell were asked for by the page of every site, where the person typed the host for each new port; and over SSH the answer went to the wrong machine.
#[test]
fn lines_for_a_shell_need_no_host_to_type_and_no_browser_here() {
    let world = world();
    let mut browser = ann(&world.server, &world.data);
    let mut press = |path: &str, typed: &[(&str, &str)], action: &str| {
        let mut page = browser.get(path);
        if !typed.is_empty() {
            let mut form = fields(&page.body, path);
            typed.iter().for_each(|(name, value)| put(&mut form, name, value));
            page = browser.post(path, &form);
        }
        assert!(page.body.contains("comes with Falconer") && !page.body.contains("typed_host"), "{page:?}");
        browser.press_grant(&page, action, "")
    };
    let mut child = signin(&world, &["--json", "--no-browser", "--expires", "1 hour"]).spawn().unwrap();
    let lines = Lines::of(child.stderr.take().unwrap(), "signin by a code");
    let address = lines.with("client_id=falconer-command-line").trim().to_owned();
    let location = press(address.strip_prefix(&world.server.root_url).unwrap(), &[], "/login/oauth/authorize/decision");
    assert!(arrive(&location).contains("Signed in"));
    let shell = Shell::with(&world.server.root_url, &printed(child));
    shell.run(&["current-scopes"]).ok();
    // It ends from the shell, as ever.
    shell.run(&["signout"]).ok();
    shell.run(&["current-scopes"]).refused(1, "has been revoked");

    let mut child =
        signin(&world, &["--json"]).env("SSH_CONNECTION", "203.0.113.9 1 203.0.113.1 22").env_remove("BROWSER").spawn().unwrap();
    let lines = Lines::of(child.stderr.take().unwrap(), "signin by the code of a device");
    let code = lines.with("has the code in it").rsplit_once("user_code=").unwrap().1.trim().to_owned();
    press("/device", &[("user_code", &code)], "/device/decision");
    Shell::with(&world.server.root_url, &printed(child)).run(&["current-scopes"]).ok();
}

/// Whoever signed in had credentials in a shell that nobody could take back but on the page.
#[test]
fn signing_out_ends_the_grant_and_clears_the_shell() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    init(&data);
    let server = Server::start(&data);
    let mut browser = ann(&server, &data);
    let back = browser.grant("/?target=http%3A%2F%2F127.0.0.1%3A4000%2F&description=x", "127.0.0.1");
    let back = url::Url::parse(&back).unwrap();
    let value = |name: &str| back.query_pairs().find(|(found, _)| found == name).unwrap().1.into_owned();
    let credentials = Credentials::new(value("clientId"), value("accessToken")).with_certificate(value("certificate")).unwrap();
    let shell = Shell::with(&server.root_url, &credentials);

    shell.run(&["current-scopes"]).ok();
    let output = shell.run(&["signout"]).ok();
    assert_eq!(output, "unset TASKCLUSTER_CLIENT_ID\nunset TASKCLUSTER_ACCESS_TOKEN\nunset TASKCLUSTER_CERTIFICATE\n");
    shell.run(&["current-scopes"]).refused(1, "has been revoked");
    shell.run(&["signout", "--fish"]).ok();
    Shell::at(&server.root_url).run(&["signout"]).refused(1, "there are no credentials");
}
