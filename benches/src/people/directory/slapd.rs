//! OpenLDAP's server with many people in groups, each person in five of them.

use std::fmt::Write as _;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

const GROUPS: usize = 101;
const GROUPS_OF_ONE: usize = 5;
const PASSWORD: &str = "only-for-this-measurement";
const START_WITHIN: Duration = Duration::from_secs(120);

/// It ends when dropped.
pub(super) struct Slapd {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

/// What the directory calls somebody for ever.
pub(super) fn entry_uuid(number: usize) -> String {
    format!("{number:08x}-0000-4000-8000-{number:012x}")
}

impl Slapd {
    pub(super) fn start(people: usize) -> Result<Slapd> {
        let folder = tempfile::tempdir()?;
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("data"))?;
        std::fs::write(at("slapd.conf"), configuration(&folder.path().to_string_lossy()))?;
        std::fs::write(at("people.ldif"), entries(people))?;
        let added = Command::new("/usr/sbin/slapadd").arg("-q").arg("-f").arg(at("slapd.conf")).arg("-l").arg(at("people.ldif")).output();
        let added = added.context("this needs Debian's slapd")?;
        if !added.status.success() {
            bail!("slapadd: {}", String::from_utf8_lossy(&added.stderr));
        }
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut server = Command::new("/usr/sbin/slapd");
        server.args(["-d", "0", "-h", &format!("ldap://127.0.0.1:{port}/"), "-f"]).arg(at("slapd.conf"));
        let child = server.stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("can't start slapd")?;
        let mut slapd = Slapd { child, port, _folder: folder };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if slapd.child.try_wait()?.is_some() || began.elapsed() > START_WITHIN {
                bail!("slapd does not answer");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(slapd)
    }

    /// Its process.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The section of a configuration.
    pub(super) fn section(&self) -> String {
        format!(
            "[[provider]]\nkind = \"ldap\"\nname = \"company\"\nlabel = \"Company\"\nurl = \"ldap://127.0.0.1:{}\"\nstart_tls = false\n\
             bind_dn = \"cn=root,dc=example,dc=com\"\nbind_password = \"{PASSWORD}\"\nbase = \"ou=people,dc=example,dc=com\"\n\
             user_filter = \"(&(objectClass=inetOrgPerson)(uid={{name}}))\"\ngroup_base = \"ou=groups,dc=example,dc=com\"\n\
             group_filter = \"(member={{dn}})\"\nscopes = [\"assume:company-user:{{email}}\", \"assume:company-group:{{group}}\"]\n\
             authoritative_email = true\nrefresh = \"1 day\"\n",
            self.port
        )
    }

    /// It takes connections and says nothing any more.
    pub(super) fn freeze(&mut self) -> Result<()> {
        let sent = Command::new("kill").arg("-STOP").arg(self.child.id().to_string()).status().context("can't run kill")?;
        if sent.success() { Ok(()) } else { bail!("slapd could not be frozen") }
    }

    /// Ends it.
    pub(super) fn stop(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn configuration(folder: &str) -> String {
    format!(
        "include /etc/ldap/schema/core.schema\ninclude /etc/ldap/schema/cosine.schema\ninclude /etc/ldap/schema/inetorgperson.schema\n\
         modulepath /usr/lib/ldap\nmoduleload back_mdb\npidfile {folder}/slapd.pid\nargsfile {folder}/slapd.args\nsizelimit unlimited\n\
         database mdb\nmaxsize 1073741824\nsuffix dc=example,dc=com\nrootdn cn=root,dc=example,dc=com\nrootpw \"{PASSWORD}\"\n\
         directory {folder}/data\nindex objectClass,uid,member,mail,entryUUID eq\n"
    )
}

fn entries(people: usize) -> String {
    let mut text = "dn: dc=example,dc=com\nobjectClass: organization\nobjectClass: dcObject\no: Example\ndc: example\n\n".to_owned();
    for unit in ["people", "groups"] {
        text.push_str(&format!("dn: ou={unit},dc=example,dc=com\nobjectClass: organizationalUnit\nou: {unit}\n\n"));
    }
    let mut members = vec![Vec::new(); GROUPS];
    for number in 0..people {
        let _ = write!(
            text,
            "dn: uid=person{number},ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: person{number}\ncn: Person Number {number}\n\
             sn: {number}\nmail: person{number}@example.com\nentryUUID: {}\n\n",
            entry_uuid(number)
        );
        for step in 1..=GROUPS_OF_ONE {
            members.get_mut((number * step + step) % GROUPS).into_iter().for_each(|group: &mut Vec<usize>| group.push(number));
        }
    }
    for (number, members) in members.iter_mut().enumerate() {
        members.dedup();
        let _ = write!(
            text,
            "dn: cn=group-{number},ou=groups,dc=example,dc=com\nobjectClass: groupOfNames\ncn: group-{number}\nmember: cn=root,dc=example,dc=com\n"
        );
        for member in members {
            let _ = writeln!(text, "member: uid=person{member},ou=people,dc=example,dc=com");
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_person_is_in_groups_and_nobody_twice_in_one() {
        let text = entries(300);
        for group in text.split("\n\n").filter(|entry| entry.contains("groupOfNames")) {
            let mut members: Vec<&str> = group.lines().filter(|line| line.starts_with("member: ")).collect();
            let before = members.len();
            members.sort_unstable();
            members.dedup();
            assert_eq!(members.len(), before, "{group}");
        }
        assert!((0..300).all(|number| text.contains(&format!("member: uid=person{number},"))));
    }
}
