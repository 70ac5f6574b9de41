//! Changing an input a little: bytes, pieces, pieces of other inputs, words of the formats, numbers at their edges.

use fastrand::Rng;

/// Longest input that is made. The limits of the formats are at 4, 8 and 16 KiB, so some must be above them.
const LONGEST: usize = 20 * 1024;

/// Words that the formats know, and characters that parsers disagree about.
const WORDS: &[&str] = &[
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "\0",
    "\r\n",
    "\t",
    " ",
    ",",
    ";",
    "=",
    "&",
    "?",
    "#",
    "%",
    "%00",
    "%2f",
    "%2F..",
    "%25",
    "+",
    "/",
    "//",
    "..",
    ":",
    ":443",
    ":0",
    ":65536",
    "@",
    "*",
    "<..>",
    "<a>",
    "|",
    "[",
    "]",
    "[[",
    "{",
    "}",
    "null",
    "true",
    "-0",
    "1e999",
    "9223372036854775807",
    "-1",
    "0",
    "99999999999999999999",
    "\u{feff}",
    "\u{202e}",
    "\u{200b}",
    "\u{e9}",
    "e\u{301}",
    "\u{1f600}",
    "\u{1b}[31m",
    "xn--",
    "localhost",
    "127.0.0.1",
    "::1",
    "[::1]",
    "Hawk ",
    "id=",
    "ts=",
    "nonce=",
    "mac=",
    "ext=",
    "app=",
    "dlg=",
    "hash=",
    "bewit=",
    "assume:",
    "clientId",
    "accessToken",
    "certificate",
    "authorizedScopes",
    "scopes",
    "AllOf",
    "AnyOf",
    "for",
    "in",
    "each",
    "if",
    "then",
    "javascript:",
    "data:",
    "http://",
    "https://",
    "<script>",
    "](",
    "![",
    "`",
    "***",
    "> ",
    "- ",
    "text/plain",
    "application/json",
    "charset=utf-16",
    "gzip",
    "days",
    "mo",
    "2026-08-01T12:00:00.000Z",
];

/// Edges of numbers.
const NUMBERS: &[&str] =
    &["0", "1", "-1", "127", "128", "255", "256", "65535", "65536", "2147483648", "4294967296", "9007199254740993", "18446744073709551616"];

/// Changes `input` in one to four ways.
pub(crate) fn mutate(rng: &mut Rng, input: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..rng.usize(1..=4) {
        once(rng, &mut bytes, other);
    }
    bytes.truncate(LONGEST);
    bytes
}

fn once(rng: &mut Rng, bytes: &mut Vec<u8>, other: &[u8]) {
    match rng.u8(0..9) {
        0 => {
            if let Some(byte) = some(rng, bytes.len()).and_then(|at| bytes.get_mut(at)) {
                *byte ^= 1 << rng.u8(0..8);
            }
        }
        1 => {
            if let Some(byte) = some(rng, bytes.len()).and_then(|at| bytes.get_mut(at)) {
                *byte = rng.u8(..);
            }
        }
        2 => drop(bytes.drain(piece(rng, bytes.len()))),
        3 => {
            let copy = bytes.get(piece(rng, bytes.len())).unwrap_or_default().to_vec();
            put(rng, bytes, &copy);
        }
        4 => {
            let copy = other.get(piece(rng, other.len())).unwrap_or_default().to_vec();
            put(rng, bytes, &copy);
        }
        5 => {
            // The beginning of one and the end of another.
            bytes.truncate(rng.usize(0..=bytes.len()));
            bytes.extend_from_slice(other.get(rng.usize(0..=other.len())..).unwrap_or_default());
        }
        6 => {
            // A number becomes another one.
            let digits: Vec<usize> = bytes.iter().enumerate().filter(|(_, byte)| byte.is_ascii_digit()).map(|(at, _)| at).collect();
            if let Some(&start) = some(rng, digits.len()).and_then(|n| digits.get(n)) {
                let length = bytes.iter().skip(start).take_while(|byte| byte.is_ascii_digit()).count();
                let number = some(rng, NUMBERS.len()).and_then(|n| NUMBERS.get(n)).copied().unwrap_or("0");
                bytes.splice(start..start + length, number.bytes());
            }
        }
        7 => {
            // Much of the same.
            let copy = bytes.get(piece(rng, bytes.len().min(64))).unwrap_or_default().repeat(rng.usize(1..=256));
            put(rng, bytes, &copy);
        }
        _ => {
            let word = some(rng, WORDS.len()).and_then(|n| WORDS.get(n)).copied().unwrap_or_default();
            put(rng, bytes, word.as_bytes());
        }
    }
}

fn some(rng: &mut Rng, length: usize) -> Option<usize> {
    (length > 0).then(|| rng.usize(0..length))
}

/// A short piece, mostly.
fn piece(rng: &mut Rng, length: usize) -> std::ops::Range<usize> {
    let start = rng.usize(0..=length);
    let longest = if rng.u8(0..8) == 0 { length - start } else { (length - start).min(16) };
    start..start + rng.usize(0..=longest)
}

fn put(rng: &mut Rng, bytes: &mut Vec<u8>, what: &[u8]) {
    let at = rng.usize(0..=bytes.len());
    bytes.splice(at..at, what.iter().copied());
}
