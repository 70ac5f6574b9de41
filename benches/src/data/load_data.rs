//! Loading a data set through the API: in batches where the server takes them (`POST /api/falconer/v1/import`), else roles one after the
//! other and clients over many connections.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use falconer_scopes::Role;
use serde_json::{Value, json};

use crate::data::data_set::{DataSet, NewClient};
use crate::requests::api::{Api, Keys, segment};
use crate::requests::connection::Connection;

/// Writers at once. Roles have one: a server may hold them all in one record, and refuse whoever comes while another one writes it.
const WRITERS: usize = 32;
/// About how large a batch may get.
const BATCH_BYTES: usize = 1 << 20;
/// Nothing that is made here ends during a run.
const EXPIRES: &str = "2100-01-01T00:00:00.000Z";

/// Makes the roles, then the clients; answers the keys of the clients.
pub fn load(api: &Api, set: &DataSet) -> Result<HashMap<String, Keys>> {
    let began = Instant::now();
    let (keys, how) = match in_batches(api, set)? {
        Some(keys) => (keys, "in batches"),
        None => (one_by_one(api, set)?, "one by one"),
    };
    eprintln!("loaded {} roles and {} clients {how} in {:.1} s", set.roles.len(), set.clients.len(), began.elapsed().as_secs_f64());
    Ok(keys)
}

/// None where the server has no such method.
fn in_batches(api: &Api, set: &DataSet) -> Result<Option<HashMap<String, Keys>>> {
    let roles = set.roles.iter().map(|role| ("roles", json!({ "roleId": role.role_id, "scopes": role.scopes, "description": "" })));
    let client = |c: &NewClient| ("clients", json!({ "clientId": c.client_id, "scopes": c.scopes, "expires": EXPIRES, "description": "" }));
    let records: Vec<(&str, Value)> = roles.chain(set.clients.iter().map(client)).collect();
    let mut connection = api.connect()?;
    let mut keys = HashMap::with_capacity(set.clients.len());
    let (mut batch, mut size, mut done) = (Batch::default(), 0, 0);
    for (number, (list, record)) in records.iter().enumerate() {
        batch.entry(list).or_default().push(record);
        size += record.to_string().len();
        if size < BATCH_BYTES && number + 1 < records.len() {
            continue;
        }
        let empty = Vec::new();
        let lists = |list: &str| batch.get(list).unwrap_or(&empty);
        let body = json!({ "roles": lists("roles"), "clients": lists("clients") });
        match api.call(&mut connection, "POST", "/api/falconer/v1/import", Some(&body))? {
            (200, answer) => take_tokens(&answer, &mut keys),
            (404 | 405, _) if done == 0 => return Ok(None),
            (status, answer) => bail!("importBatch answered {status}: {}", answer.get("message").unwrap_or(&answer)),
        }
        done = number + 1;
        if done < records.len() {
            eprintln!("  {done} of {} records", records.len());
        }
        (batch, size) = (Batch::default(), 0);
    }
    if let Some(missing) = set.clients.iter().find(|client| !keys.contains_key(&client.client_id)) {
        bail!("importBatch gave no access token for {}", missing.client_id);
    }
    Ok(Some(keys))
}

/// Records by the list that they go into.
type Batch<'a> = HashMap<&'a str, Vec<&'a Value>>;

fn take_tokens(answer: &Value, keys: &mut HashMap<String, Keys>) {
    for client in answer.get("clients").and_then(Value::as_array).into_iter().flatten() {
        let text = |key: &str| client.get(key).and_then(Value::as_str);
        if let (Some(id), Some(token)) = (text("clientId"), text("accessToken")) {
            keys.insert(id.to_owned(), Keys::new(id, token));
        }
    }
}

fn one_by_one(api: &Api, set: &DataSet) -> Result<HashMap<String, Keys>> {
    each(|| api.connect(), "roles", 1, &set.roles, |connection, role| create_role(api, connection, role))?;
    let keys = Mutex::new(HashMap::with_capacity(set.clients.len()));
    each(
        || api.connect(),
        "clients",
        WRITERS,
        &set.clients,
        |connection, client| {
            let created = create_client(api, connection, client)?;
            keys.lock().map_err(|_| anyhow::anyhow!("a writer panicked"))?.insert(client.client_id.clone(), created);
            Ok(())
        },
    )?;
    keys.into_inner().map_err(|_| anyhow::anyhow!("a writer panicked"))
}

/// Makes one role. One that is there with the same values is fine: the protocol says so.
pub fn create_role(api: &Api, connection: &mut Connection, role: &Role) -> Result<()> {
    let body = json!({ "description": "", "scopes": role.scopes });
    let path = format!("/api/auth/v1/roles/{}", segment(&role.role_id));
    match api.call(connection, "PUT", &path, Some(&body))? {
        (200, _) => Ok(()),
        (status, answer) => bail!("createRole {} answered {status}: {answer}", role.role_id),
    }
}

/// Makes one client, and gives its keys.
pub fn create_client(api: &Api, connection: &mut Connection, client: &NewClient) -> Result<Keys> {
    let body = json!({ "description": "", "expires": EXPIRES, "scopes": client.scopes });
    let path = format!("/api/auth/v1/clients/{}", segment(&client.client_id));
    let (status, answer) = api.call(connection, "PUT", &path, Some(&body))?;
    match answer.get("accessToken").and_then(Value::as_str) {
        Some(token) if status == 200 => Ok(Keys::new(&client.client_id, token)),
        _ => bail!("createClient {} answered {status}: {answer}", client.client_id),
    }
}

/// Makes each of the items, by so many writers with a connection each.
fn each<T: Sync, C>(
    connect: impl Fn() -> Result<C> + Sync,
    what: &str,
    writers: usize,
    items: &[T],
    make: impl Fn(&mut C, &T) -> Result<()> + Sync,
) -> Result<()> {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let work = || -> Result<()> {
            let mut connection = connect()?;
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(item) = items.get(number) else { return Ok(()) };
                make(&mut connection, item)?;
                if number > 0 && number.is_multiple_of(10_000) {
                    eprintln!("  {number} of {} {what}", items.len());
                }
            }
        };
        let writers: Vec<_> = (0..writers.min(items.len())).map(|_| scope.spawn(work)).collect();
        for writer in writers {
            writer.join().map_err(|_| anyhow::anyhow!("a writer panicked"))?.context("can't load the data set")?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A peer that keeps all roles in one record answers 500 to whoever comes while another one writes it: roles were made by 32 writers at once.
    #[test]
    fn one_writer_makes_things_one_after_the_other() {
        let (busy, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let make = |_: &mut (), item: &u32| {
            assert_eq!(busy.fetch_add(1, Ordering::SeqCst), 0, "another one is at work");
            std::thread::yield_now();
            done.lock().unwrap().push(*item);
            busy.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        };
        let items: Vec<u32> = (0..100).collect();
        each(|| Ok(()), "things", 1, &items, make).unwrap();
        assert_eq!(done.into_inner().unwrap(), items);
    }
}
