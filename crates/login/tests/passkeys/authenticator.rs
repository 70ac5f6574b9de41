//! An authenticator and its browser in software, which say whatever a test has them say.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ciborium::{Value, cbor};
use falconer_login::{Assertion, NewPasskey, PasskeyError, Session, SignedIn, Visitor};
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::common::{ADDRESS, World};

pub const ORIGIN: &str = "https://auth.example.com";
pub const USER_PRESENT: u8 = 1;
pub const USER_VERIFIED: u8 = 4;
pub const ATTESTED: u8 = 0x40;
pub const EXTENSIONS: u8 = 0x80;

pub fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn der(pem: &str) -> Vec<u8> {
    let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(text).unwrap()
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Es256,
    EdDsa,
    Rs256,
}

fn p256() -> EcdsaKeyPair {
    let pem = include_str!("../hostile_provider/keys/p256.pem");
    EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P256_SHA256_ASN1_SIGNING, &der(pem), &SystemRandom::new()).unwrap()
}

fn ed25519() -> Ed25519KeyPair {
    Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der(include_str!("../hostile_provider/keys/ed25519.pem"))).unwrap()
}

fn rsa() -> RsaKeyPair {
    RsaKeyPair::from_pkcs8(&der(include_str!("../hostile_provider/keys/rsa.pem"))).unwrap()
}

impl Kind {
    /// The COSE_Key as pairs.
    pub fn key(self) -> Vec<(Value, Value)> {
        let pairs: Vec<(i64, Value)> = match self {
            Kind::Es256 => {
                let pair = p256();
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                vec![(1, 2.into()), (3, (-7).into()), (-1, 1.into()), (-2, x.to_vec().into()), (-3, y.to_vec().into())]
            }
            Kind::EdDsa => {
                let point = ed25519().public_key().as_ref().to_vec();
                vec![(1, 1.into()), (3, (-8).into()), (-1, 6.into()), (-2, point.into())]
            }
            Kind::Rs256 => {
                let parts = PublicKeyComponents::<Vec<u8>>::from(rsa().public());
                vec![(1, 3.into()), (3, (-257).into()), (-1, parts.n.into()), (-2, parts.e.into())]
            }
        };
        pairs.into_iter().map(|(label, value)| (label.into(), value)).collect()
    }

    fn sign(self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Kind::Es256 => p256().sign(&random, message).unwrap().as_ref().to_vec(),
            Kind::EdDsa => ed25519().sign(message).as_ref().to_vec(),
            Kind::Rs256 => {
                let key = rsa();
                let mut bytes = vec![0; key.public().modulus_len()];
                key.sign(&signature::RSA_PKCS1_SHA256, &random, message, &mut bytes).unwrap();
                bytes
            }
        }
    }
}

pub fn bytes_of(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    bytes
}

/// All that is said at a registration or a sign-in; a test changes a part of it.
#[derive(Clone)]
pub struct Says {
    pub kind: String,
    pub origin: String,
    /// Members of the client data besides type, challenge and origin, as JSON text with a comma in front.
    pub more: String,
    pub challenge: Option<String>,
    pub ceremony: Option<String>,
    pub relying_party: String,
    pub flags: u8,
    pub counter: u32,
    pub id: Vec<u8>,
    /// Instead of the same in the answer around it.
    pub outer_id: Option<Vec<u8>>,
    pub key: Vec<(Value, Value)>,
    /// Behind all other authenticator data.
    pub trailing: Vec<u8>,
    /// Changes the attestation object.
    pub attestation: fn(Vec<u8>) -> Vec<u8>,
    pub signer: Kind,
    pub signature: fn(Vec<u8>) -> Vec<u8>,
    pub user: Option<String>,
    pub label: String,
}

impl Says {
    /// What an honest one says when it makes a key.
    pub fn to_register(kind: Kind, id: &[u8]) -> Says {
        Says {
            kind: "webauthn.create".to_owned(),
            origin: ORIGIN.to_owned(),
            more: r#","crossOrigin":false,"another":[1]"#.to_owned(),
            challenge: None,
            ceremony: None,
            relying_party: "auth.example.com".to_owned(),
            flags: USER_PRESENT | USER_VERIFIED | ATTESTED,
            counter: 0,
            id: id.to_vec(),
            outer_id: None,
            key: kind.key(),
            trailing: Vec::new(),
            attestation: |bytes| bytes,
            signer: kind,
            signature: |bytes| bytes,
            user: None,
            label: "My key".to_owned(),
        }
    }

    /// What an honest one says when it signs.
    pub fn to_sign_in(kind: Kind, id: &[u8], counter: u32) -> Says {
        Says { kind: "webauthn.get".to_owned(), flags: USER_PRESENT | USER_VERIFIED, counter, ..Says::to_register(kind, id) }
    }

    fn client_data(&self, challenge: &str) -> Vec<u8> {
        let challenge = self.challenge.as_deref().unwrap_or(challenge);
        let [kind, challenge, origin] = [&self.kind, challenge, &self.origin].map(|text| json!(text).to_string());
        format!(r#"{{"type":{kind},"challenge":{challenge},"origin":{origin}{}}}"#, self.more).into_bytes()
    }

    fn data(&self) -> Vec<u8> {
        let mut bytes = Sha256::digest(self.relying_party.as_bytes()).to_vec();
        bytes.push(self.flags);
        bytes.extend(self.counter.to_be_bytes());
        if self.flags & ATTESTED != 0 {
            bytes.extend([7; 16]);
            bytes.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
            bytes.extend(&self.id);
            bytes.extend(bytes_of(&Value::Map(self.key.clone())));
        }
        bytes.extend(&self.trailing);
        bytes
    }

    /// Answers what this session is offered.
    pub async fn register(&self, world: &World, session: &Session) -> Result<(), PasskeyError> {
        let offer = world.login.offer_registration(session).await.unwrap().unwrap();
        self.register_for(world, session, &offer.challenge, &offer.ceremony).await
    }

    pub async fn register_for(&self, world: &World, session: &Session, challenge: &str, ceremony: &str) -> Result<(), PasskeyError> {
        let object = cbor!({"fmt" => "none", "attStmt" => {}, "authData" => Value::Bytes(self.data())}).unwrap();
        let new = NewPasskey {
            ceremony: self.ceremony.as_deref().unwrap_or(ceremony),
            id: &text(self.outer_id.as_ref().unwrap_or(&self.id)),
            client_data: &text(&self.client_data(challenge)),
            attestation: &text(&(self.attestation)(bytes_of(&object))),
            transports: "internal,hybrid,telepathy",
            resident: true,
            label: &self.label,
        };
        world.login.register_passkey(session, &new).await
    }

    /// Answers what the browser of this cookie is offered.
    pub async fn sign_in(&self, world: &World, cookie: &str) -> Result<SignedIn, PasskeyError> {
        let offer = world.login.offer_passkey(cookie).unwrap();
        self.sign_in_for(world, cookie, &offer.challenge, &offer.ceremony).await
    }

    pub async fn sign_in_for(&self, world: &World, cookie: &str, challenge: &str, ceremony: &str) -> Result<SignedIn, PasskeyError> {
        let (client_data, data) = (self.client_data(challenge), self.data());
        let message = [data.as_slice(), &Sha256::digest(&client_data)].concat();
        // What came with the offer is kept with the key.
        let kept = world.store.passkey(&text(&self.id)).await.unwrap().and_then(|passkey| passkey.user_handle);
        let kept_user = self.user.clone().or(kept).unwrap_or_else(|| user("ann"));
        let assertion = Assertion {
            ceremony: self.ceremony.as_deref().unwrap_or(ceremony),
            id: &text(self.outer_id.as_ref().unwrap_or(&self.id)),
            client_data: &text(&client_data),
            authenticator_data: &text(&data),
            signature: &text(&(self.signature)(self.signer.sign(&message))),
            user: &kept_user,
        };
        let visitor = Visitor { address: ADDRESS, user_agent: "test browser", browser: Some(cookie) };
        world.login.sign_in_passkey(&assertion, &visitor).await
    }
}

/// The user handle of an account as earlier versions made it.
pub fn user(account: &str) -> String {
    falconer_login::fingerprint(["passkey user", account])
}
