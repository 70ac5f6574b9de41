-- backchannel_logout_uri: where the application is told that a session has ended (OpenID Connect Back-Channel Logout 1.0); empty: nowhere.
ALTER TABLE applications ADD COLUMN backchannel_logout_uri TEXT NOT NULL DEFAULT '';
-- sid: session_applications.sid of the session in which it was granted; NULL: the application is told nothing of the session.
ALTER TABLE grant_identities ADD COLUMN sid TEXT;
-- Which applications know of a session. session: sessions.id_hash. sid: what they call it, and no others. uri: as it was then.
CREATE TABLE session_applications (
  session TEXT NOT NULL,
  application TEXT NOT NULL,
  sid TEXT NOT NULL,
  subject TEXT NOT NULL,
  uri TEXT NOT NULL,
  kept_until_ms INTEGER NOT NULL,
  PRIMARY KEY (session, application)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX session_applications_by_sid ON session_applications (sid);
-- Sessions that have ended, of which an application has still to be told. tries: how often that came to nothing.
CREATE TABLE logouts (
  sid TEXT PRIMARY KEY,
  application TEXT NOT NULL,
  subject TEXT NOT NULL,
  uri TEXT NOT NULL,
  tries INTEGER NOT NULL,
  due_ms INTEGER NOT NULL,
  claimed_until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX logouts_by_due ON logouts (due_ms);
