//! Ten people sign in at once, in browsers that they signed in with before, while so many wrong attempts a second arrive for the same accounts from changing
//! addresses. Attempts are due at a fixed rate, whatever the server does: whoever waits for an answer keeps nobody else from coming.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::accounts::{PASSWORD, address_of, name, server_with};
use super::{Line, Options};
use crate::requests::browser::Person;
use crate::requests::load::at;
use crate::subjects::process;

const PEOPLE: usize = 10;
/// Within this, everybody is in.
const WITHIN: Duration = Duration::from_secs(2);
/// How often all ten sign in.
const ROUNDS: usize = 5;
/// Between two rounds.
const BETWEEN: Duration = Duration::from_millis(500);
/// How long answers are waited for when no more attempts come.
const PATIENCE: Duration = Duration::from_secs(120);

/// What became of the attempts.
#[derive(Default)]
struct Seen {
    arrived: usize,
    /// By status, how long each was waited for; 0 where the connection was closed without an answer.
    answered: BTreeMap<u16, Vec<Duration>>,
}

pub(super) fn measure(options: &Options) -> Result<Vec<Line>> {
    let (subject, address) = server_with(&options.binary, PEOPLE, "")?;
    let process = subject.process().context("the server's process is not known")?;
    let mut people = Vec::new();
    for number in 0..PEOPLE {
        let mut person = Person::at(&address, Some(address_of(number)))?;
        person.sign_in_again(&name(number), PASSWORD)?;
        people.push(person);
    }
    let mut stranger = Person::at(&address, Some(address_of(PEOPLE)))?;
    let form = stranger.sign_in_form("/login", "NAME", "a wrong password")?;
    let form = String::from_utf8(stranger.form_from("/login", &form, "ADDRESS")).context("the form is text")?;
    let (stop, stopped) = watch::channel(false);
    let seen = Arc::new(Mutex::new(Seen::default()));
    let cpu = process::cpu_us(process)?;
    let began = Instant::now();
    let (rounds, span) = std::thread::scope(|scope| {
        let guesses = scope.spawn(|| guess(&subject.api.address, &form, options.guesses, stopped, &seen));
        // They are at it when the people come.
        std::thread::sleep(Duration::from_secs(2));
        let rounds: Result<Vec<Vec<(Duration, bool)>>> = (0..ROUNDS)
            .map(|_| {
                let round = all_at_once(&mut people);
                std::thread::sleep(BETWEEN);
                round
            })
            .collect();
        let span = began.elapsed();
        stop.send_replace(true);
        guesses.join().map_err(|_| anyhow!("whoever guesses panicked"))??;
        Ok::<_, anyhow::Error>((rounds?, span))
    })?;
    let cpu_share = process::cpu_us(process)?.saturating_sub(cpu) as f64 / 1e4 / began.elapsed().as_secs_f64();
    let kept_out = rounds.iter().flatten().filter(|(_, is_in)| !is_in).count();
    let mut all: Vec<Duration> = rounds.into_iter().flatten().map(|(took, _)| took).collect();
    all.sort_unstable();
    let longest = all.last().copied().context("nobody signed in")?;
    let seen = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
    let arriving = seen.arrived as f64 / span.as_secs_f64();
    let by_status: Vec<String> = seen.answered.into_iter().map(|(status, took)| said(status, took)).collect();
    Ok(vec![Line {
        work: format!("ten people sign in at once while {arriving:.0} wrong attempts a second arrive for their accounts, {ROUNDS} times"),
        measured: format!("{:.2} s the longest, {:.2} s the median", longest.as_secs_f64(), at(&all, 0.5) / 1e6),
        note: format!(
            "{kept_out} of {} were told to try again; of {} attempts {}; {cpu_share:.0} % of a core",
            all.len(),
            seen.arrived,
            by_status.join(", ")
        ),
        bound: Some(("all in within 2 s".to_owned(), longest <= WITHIN && kept_out == 0)),
    }])
}

fn said(status: u16, mut took: Vec<Duration>) -> String {
    took.sort_unstable();
    let what = match status {
        0 => "were closed without an answer",
        403 => "were looked at (403)",
        429 => "were refused for their number (429)",
        503 => "found no place (503)",
        _ => "were answered otherwise",
    };
    format!("{} {what}, {:.0} ms the median", took.len(), at(&took, 0.5) / 1e3)
}

/// How long each waited, and whether they were in then.
fn all_at_once(people: &mut [Person]) -> Result<Vec<(Duration, bool)>> {
    std::thread::scope(|scope| {
        let sign_in = |number: usize, person: &mut Person| {
            let began = Instant::now();
            let is_in = person.sign_in_again(&name(number), PASSWORD).is_ok();
            (began.elapsed(), is_in)
        };
        let threads: Vec<_> = people.iter_mut().enumerate().map(|(number, person)| scope.spawn(move || sign_in(number, person))).collect();
        threads.into_iter().map(|thread| thread.join().map_err(|_| anyhow!("a person panicked"))).collect()
    })
}

/// Sends an attempt whenever one is due, until it is told to stop, and waits for the last answers.
fn guess(address: &str, form: &str, rate: f64, mut stopped: watch::Receiver<bool>, seen: &Arc<Mutex<Seen>>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (idle, began) = (Arc::new(Mutex::new(Vec::new())), tokio::time::Instant::now());
        let mut under_way = tokio::task::JoinSet::new();
        for number in 0.. {
            let due = began + Duration::from_secs_f64(number as f64 / rate);
            tokio::select! {
                () = tokio::time::sleep_until(due) => {}
                _ = stopped.wait_for(|stop| *stop) => break,
            }
            let attempt = filled(form, &name(number % PEOPLE), &address_of(100 + number));
            let (idle, seen, address) = (Arc::clone(&idle), Arc::clone(seen), address.to_owned());
            under_way.spawn(async move {
                let sent = Instant::now();
                seen.lock().unwrap_or_else(PoisonError::into_inner).arrived += 1;
                let kept = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let status = match attempt_over(kept, &address, attempt.as_bytes()).await {
                    Ok((status, stream)) => {
                        idle.lock().unwrap_or_else(PoisonError::into_inner).extend(stream);
                        status
                    }
                    Err(_) => 0,
                };
                let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                seen.answered.entry(status).or_default().push(sent.elapsed());
            });
            while under_way.try_join_next().is_some() {}
        }
        let rest = async { while under_way.join_next().await.is_some() {} };
        tokio::time::timeout(PATIENCE, rest).await.context("attempts were not answered")
    })
}

/// The form with this name and this address in place of those that stand for them.
fn filled(form: &str, name: &str, address: &str) -> String {
    let Some((head, body)) = form.split_once("\r\n\r\n") else { return String::new() };
    let body = body.replace("NAME", name);
    let head = head.replace("ADDRESS", address);
    let lines = head
        .split("\r\n")
        .map(|line| if line.starts_with("content-length: ") { format!("content-length: {}", body.len()) } else { line.to_owned() });
    format!("{}\r\n\r\n{body}", lines.collect::<Vec<_>>().join("\r\n"))
}

/// The status, and the connection where it can be used again. One that was kept may have been closed meanwhile: then it is another one.
async fn attempt_over(kept: Option<TcpStream>, address: &str, request: &[u8]) -> Result<(u16, Option<TcpStream>)> {
    if let Some(stream) = kept
        && let Ok(answered) = exchange(stream, request).await
    {
        return Ok(answered);
    }
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    exchange(stream, request).await
}

async fn exchange(mut stream: TcpStream, request: &[u8]) -> Result<(u16, Option<TcpStream>)> {
    stream.write_all(request).await?;
    let (mut bytes, mut end) = (Vec::new(), None);
    loop {
        let mut part = [0; 16 * 1024];
        let count = stream.read(&mut part).await?;
        bytes.extend_from_slice(part.get(..count).unwrap_or_default());
        if count == 0 {
            anyhow::ensure!(!bytes.is_empty(), "closed");
            return Ok((status_of(&bytes)?.0, None));
        }
        if end.is_none() {
            end = status_of(&bytes).ok();
        }
        if let Some((status, Some(end))) = end
            && bytes.len() >= end
        {
            return Ok((status, Some(stream)));
        }
    }
}

/// The status of an answer whose head is there whole, and where its body ends if that is said.
fn status_of(bytes: &[u8]) -> Result<(u16, Option<usize>)> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(body_at) = response.parse(bytes)? else { anyhow::bail!("half a head") };
    let length = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|header| std::str::from_utf8(header.value).ok()?.parse::<usize>().ok());
    Ok((response.code.context("no status")?, length.map(|length| body_at + length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_filled_with_their_true_length() {
        let form = "POST /login HTTP/1.1\r\nx-forwarded-for: ADDRESS\r\ncontent-length: 11\r\n\r\nname=NAME&x";
        let filled = filled(form, "person12", "10.0.0.1");
        assert_eq!(filled, "POST /login HTTP/1.1\r\nx-forwarded-for: 10.0.0.1\r\ncontent-length: 15\r\n\r\nname=person12&x");
    }

    #[test]
    fn answers_end_where_they_say() {
        assert!(status_of(b"HTTP/1.1 429 Too Many").is_err());
        assert_eq!(status_of(b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 2\r\n\r\n").unwrap(), (429, Some(55)));
    }
}
