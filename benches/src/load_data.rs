//! Loading a data set through the API, over many connections.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use falconer_scopes::Role;
use serde_json::{Value, json};

use crate::api::{Api, Keys, segment};
use crate::connection::Connection;
use crate::data_set::{DataSet, NewClient};

/// Writers at once.
const WRITERS: usize = 32;
/// Nothing that is made here ends during a run.
const EXPIRES: &str = "2100-01-01T00:00:00.000Z";

/// Makes the roles, then the clients; answers the keys of the clients.
pub fn load(api: &Api, set: &DataSet) -> Result<HashMap<String, Keys>> {
    let began = Instant::now();
    each(api, "roles", &set.roles, |connection, role| create_role(api, connection, role))?;
    let keys = Mutex::new(HashMap::with_capacity(set.clients.len()));
    each(api, "clients", &set.clients, |connection, client| {
        let made = create_client(api, connection, client)?;
        keys.lock().map_err(|_| anyhow::anyhow!("a writer panicked"))?.insert(client.client_id.clone(), made);
        Ok(())
    })?;
    eprintln!("loaded {} roles and {} clients in {:.1} s", set.roles.len(), set.clients.len(), began.elapsed().as_secs_f64());
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

fn each<T: Sync>(api: &Api, what: &str, items: &[T], make: impl Fn(&mut Connection, &T) -> Result<()> + Sync) -> Result<()> {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let work = || -> Result<()> {
            let mut connection = api.connect()?;
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(item) = items.get(number) else { return Ok(()) };
                make(&mut connection, item)?;
                if number > 0 && number % 10_000 == 0 {
                    eprintln!("  {number} of {} {what}", items.len());
                }
            }
        };
        let writers: Vec<_> = (0..WRITERS.min(items.len())).map(|_| scope.spawn(work)).collect();
        for writer in writers {
            writer.join().map_err(|_| anyhow::anyhow!("a writer panicked"))?.context("can't load the data set")?;
        }
        Ok(())
    })
}
