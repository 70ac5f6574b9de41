//! ID tokens whose signature proves nothing, and what is no ID token.

use falconer_login::ProviderError as E;
use serde_json::json;

use crate::provider::{CLIENT_SECRET, Case};
use crate::signing::{Signer, public_keys, stranger_key, text, token};
use crate::{Row, row};

/// A header of this algorithm and key, signed so.
fn signed(case: &mut Case, algorithm: &str, key: &str, signer: Signer) {
    case.header = json!({"alg": algorithm, "kid": key, "typ": "JWT"});
    case.signer = signer;
}

/// The token as text.
fn written(case: &Case) -> String {
    token(&case.header, &case.claims, &case.signer)
}

fn unsigned(case: &mut Case, algorithm: &str) {
    signed(case, algorithm, "rsa", Signer::Bytes(Vec::new()));
}

fn with_shared_secret(case: &mut Case, algorithm: &str, secret: &[u8]) {
    signed(case, algorithm, "rsa", Signer::Hmac(secret.to_vec()));
}

fn modulus() -> Vec<u8> {
    public_keys()["keys"][0]["n"].as_str().unwrap().as_bytes().to_vec()
}

pub const SIGNATURES: &[Row] = &[
    row!("no signature", |c| unsigned(c, "none"), E::Algorithm(_)),
    row!("no signature, None", |c| unsigned(c, "None"), E::Algorithm(_)),
    row!("no signature, NONE", |c| unsigned(c, "NONE"), E::Algorithm(_)),
    row!("no signature, nOnE", |c| unsigned(c, "nOnE"), E::Algorithm(_)),
    row!("none beside a signature that holds", |c| signed(c, "none", "rsa", Signer::Rs256), E::Algorithm(_)),
    row!("no signature, RS256", |c| unsigned(c, "RS256"), E::Signature),
    row!("no algorithm", |c| c.header = json!({"kid": "rsa"}), E::Token(_)),
    row!("an empty algorithm", |c| signed(c, "", "rsa", Signer::Rs256), E::Algorithm(_)),
    row!("a number as algorithm", |c| c.header["alg"] = json!(256), E::Token(_)),
    row!("a list as algorithm", |c| c.header["alg"] = json!(["RS256"]), E::Token(_)),
    row!("small letters", |c| signed(c, "rs256", "rsa", Signer::Rs256), E::Algorithm(_)),
    row!("the modulus as a shared secret", |c| with_shared_secret(c, "HS256", &modulus()), E::Algorithm(_)),
    row!("the set of keys as a shared secret", |c| with_shared_secret(c, "HS256", public_keys().to_string().as_bytes()), E::Algorithm(_)),
    row!("the client's secret as a shared secret", |c| with_shared_secret(c, "HS256", CLIENT_SECRET.as_bytes()), E::Algorithm(_)),
    row!("a shared secret called RS256", |c| with_shared_secret(c, "RS256", &modulus()), E::Signature),
    row!("an empty shared secret", |c| with_shared_secret(c, "HS256", b"\0"), E::Algorithm(_)),
    row!("HS384", |c| with_shared_secret(c, "HS384", &modulus()), E::Algorithm(_)),
    row!("HS512", |c| with_shared_secret(c, "HS512", &modulus()), E::Algorithm(_)),
    row!("RS384", |c| signed(c, "RS384", "rsa", Signer::Rs256), E::Algorithm(_)),
    row!("RS512", |c| signed(c, "RS512", "rsa", Signer::Rs512), E::Algorithm(_)),
    row!("RS1", |c| signed(c, "RS1", "rsa", Signer::Rs256), E::Algorithm(_)),
    row!("PS512", |c| signed(c, "PS512", "rsa", Signer::Ps256), E::Algorithm(_)),
    row!("ES512", |c| signed(c, "ES512", "p256", Signer::Es256), E::Algorithm(_)),
    row!("ES256K", |c| signed(c, "ES256K", "p256", Signer::Es256), E::Algorithm(_)),
    row!("an encryption", |c| signed(c, "RSA-OAEP", "rsa", Signer::Rs256), E::Algorithm(_)),
    row!(
        "an algorithm that the provider does not have",
        |c| c.discovery["id_token_signing_alg_values_supported"] = json!(["ES256"]),
        E::Algorithm(_)
    ),
    row!("a provider that signs with nothing", |c| c.discovery["id_token_signing_alg_values_supported"] = json!([]), E::Algorithm(_)),
    row!(
        "a provider that signs with none",
        |c| {
            c.discovery["id_token_signing_alg_values_supported"] = json!(["none"]);
            unsigned(c, "none");
        },
        E::Algorithm(_)
    ),
    row!("ES256 with the key of RSA", |c| signed(c, "ES256", "rsa", Signer::Es256), E::WrongKey(_)),
    row!("RS256 with the key of P-256", |c| signed(c, "RS256", "p256", Signer::Rs256), E::WrongKey(_)),
    row!("ES384 with the key of P-256", |c| signed(c, "ES384", "p256", Signer::Es384), E::WrongKey(_)),
    row!("ES256 with the key of P-384", |c| signed(c, "ES256", "p384", Signer::Es256), E::WrongKey(_)),
    row!("EdDSA with the key of RSA", |c| signed(c, "EdDSA", "rsa", Signer::EdDsa), E::WrongKey(_)),
    row!("RS256 with the key of EdDSA", |c| signed(c, "RS256", "ed", Signer::Rs256), E::WrongKey(_)),
    row!("PS256 signed as RS256", |c| signed(c, "PS256", "rsa", Signer::Rs256), E::Signature),
    row!("RS256 signed as PS256", |c| signed(c, "RS256", "rsa", Signer::Ps256), E::Signature),
    row!("RS256 signed as RS512", |c| signed(c, "RS256", "rsa", Signer::Rs512), E::Signature),
    row!("ES256 signed by P-384", |c| signed(c, "ES256", "p256", Signer::Es384), E::Signature),
    row!("a signature of zeros", |c| signed(c, "ES256", "p256", Signer::Bytes(vec![0; 64])), E::Signature),
    row!("an EdDSA signature of zeros", |c| signed(c, "EdDSA", "ed", Signer::Bytes(vec![0; 64])), E::Signature),
    row!("somebody else's key", |c| c.signer = Signer::Stranger, E::Signature),
    row!(
        "somebody else's key, brought along",
        |c| {
            c.header["jwk"] = stranger_key("rsa");
            c.signer = Signer::Stranger;
        },
        E::Signature
    ),
    row!(
        "somebody else's key, by address",
        |c| {
            c.header["jku"] = json!("https://evil.example/keys");
            c.header["x5u"] = json!("https://evil.example/certificate");
            c.signer = Signer::Stranger;
        },
        E::Signature
    ),
    row!(
        "a shorter signature",
        |c| {
            let whole = written(c);
            let (message, _) = whole.rsplit_once('.').unwrap();
            let shorter = text(&Signer::Rs256.sign(message)[..255]);
            c.id_token = Some(format!("{message}.{shorter}").into());
        },
        E::Signature
    ),
    row!(
        "a longer signature",
        |c| {
            let whole = written(c);
            let (message, _) = whole.rsplit_once('.').unwrap();
            let longer = text(&[Signer::Rs256.sign(message), vec![0]].concat());
            c.id_token = Some(format!("{message}.{longer}").into());
        },
        E::Signature
    ),
    row!(
        "claims of another token",
        |c| {
            let signed = written(c);
            let signature = signed.rsplit('.').next().unwrap().to_owned();
            c.claim("sub", json!("somebody"));
            let changed = written(c);
            let (message, _) = changed.rsplit_once('.').unwrap();
            c.id_token = Some(format!("{message}.{signature}").into());
        },
        E::Signature
    ),
];

pub const SHAPES: &[Row] = &[
    row!("no ID token", |c| c.token_answer = json!({"id_token": null}), E::NoIdToken),
    row!("a number", |c| c.id_token = Some(json!(1)), E::Malformed { .. }),
    row!("an object", |c| c.id_token = Some(json!({"sub": "you"})), E::Malformed { .. }),
    row!("nothing", |c| c.id_token = Some("".into()), E::Token(_)),
    row!("one part", |c| c.id_token = Some("abc".into()), E::Token(_)),
    row!("two parts", |c| c.id_token = Some("YQ.YQ".into()), E::Token(_)),
    row!("four parts", |c| c.id_token = Some(format!("{}.YQ", written(c)).into()), E::Token(_)),
    row!("an encrypted token", |c| c.id_token = Some("YQ.YQ.YQ.YQ.YQ".into()), E::Token(_)),
    row!("an end in a dot", |c| c.id_token = Some(format!("{}.", written(c)).into()), E::Token(_)),
    row!("a space behind", |c| c.id_token = Some(format!("{} ", written(c)).into()), E::Token(_)),
    row!("a line end behind", |c| c.id_token = Some(format!("{}\n", written(c)).into()), E::Token(_)),
    row!("padding", |c| c.id_token = Some(format!("{}=", written(c)).into()), E::Token(_)),
    row!("the other base64", |c| c.id_token = Some(format!("{}+/+/", written(c)).into()), E::Token(_)),
    row!("a header that is no JSON", |c| c.id_token = Some(format!("{}.YQ.YQ", text(b"{")).into()), E::Token(_)),
    row!("a header that is a list", |c| c.header = json!(["RS256"]), E::Token(_)),
    row!("two algorithms", |c| c.id_token = Some(format!("{}.YQ.YQ", text(br#"{"alg":"RS256","alg":"none"}"#)).into()), E::Token(_)),
    row!("claims that are a list", not_an_object, E::Token(_)),
    row!("a critical header", |c| c.header["crit"] = json!(["b64"]), E::CriticalHeader),
    row!("no critical header, but said", |c| c.header["crit"] = json!([]), E::CriticalHeader),
    row!("an access token", |c| c.header["typ"] = json!("at+jwt"), E::OtherKind(_)),
    row!("a logout token", |c| c.header["typ"] = json!("logout+jwt"), E::OtherKind(_)),
    row!("a kind that is a number", |c| c.header["typ"] = json!(1), E::Token(_)),
    row!("a token of 70 KB", |c| c.claim("padding", json!("x".repeat(70_000))), E::Token(_)),
];

fn not_an_object(case: &mut Case) {
    case.id_token = Some(token(&case.header, &json!(["you"]), &case.signer).into());
}
