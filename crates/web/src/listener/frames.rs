//! Whether an HTTP/2 connection does anything but keep the server busy: a count of frames that ask for work and carry nothing.
//!
//! hyper answers each SETTINGS and PING, and takes each WINDOW_UPDATE, for as long as they come. Here each such frame takes a credit; requests, data and what
//! the other side reads of answers give some back, and so does time. A connection without credit is closed.

/// What a client sends first (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Credits at the beginning, and the most that there can be.
const MOST: u32 = 1000;
/// For a request or a part of one.
const FOR_REQUEST: u32 = 8;
/// Bytes of answers that are worth one: a client gives its window back for a fraction of a frame, at the most once in so many bytes.
const BYTES_OF_ANSWER: usize = 1024;
/// For each second.
const FOR_SECOND: u32 = 10;

/// Reads the heads of frames as their bytes come, whatever the pieces.
#[derive(Debug)]
pub(super) struct Frames {
    state: State,
    credit: u32,
    /// Bytes of answers that are not worth a credit yet.
    written: usize,
    /// Whole seconds that were paid for.
    seconds: u64,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// So many bytes of the preface were there.
    Preface(usize),
    /// It is not HTTP/2.
    Other,
    Head {
        bytes: [u8; 9],
        have: usize,
    },
    /// So many bytes of the frame are still to come.
    Payload(usize),
}

const HEAD: State = State::Head { bytes: [0; 9], have: 0 };

impl Frames {
    pub(super) fn new() -> Frames {
        Frames { state: State::Preface(0), credit: MOST, written: 0, seconds: 0 }
    }

    /// Whether this is HTTP/2, or may become it.
    pub(super) fn counts(&self) -> bool {
        !matches!(self.state, State::Other)
    }

    /// Bytes came, so many seconds after the connection began. False: there is no credit left.
    #[must_use]
    pub(super) fn read(&mut self, mut bytes: &[u8], seconds: u64) -> bool {
        let passed = u32::try_from(seconds.saturating_sub(self.seconds)).unwrap_or(u32::MAX);
        self.seconds = self.seconds.max(seconds);
        self.give(passed.saturating_mul(FOR_SECOND));
        while let Some((first, rest)) = bytes.split_first() {
            match &mut self.state {
                State::Other => return true,
                State::Preface(have) => {
                    let expected = PREFACE.get(*have);
                    *have += 1;
                    self.state = match (expected == Some(first), *have == PREFACE.len()) {
                        (false, _) => State::Other,
                        (true, true) => HEAD,
                        (true, false) => State::Preface(*have),
                    };
                    bytes = rest;
                }
                State::Head { bytes: head, have } => {
                    if let Some(slot) = head.get_mut(*have) {
                        *slot = *first;
                    }
                    *have += 1;
                    bytes = rest;
                    if *have == head.len() {
                        let [a, b, c, kind, ..] = *head;
                        let length = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
                        if !self.frame(kind, length) {
                            return false;
                        }
                        self.state = if length == 0 { HEAD } else { State::Payload(length) };
                    }
                }
                State::Payload(left) => {
                    let taken = bytes.len().min(*left);
                    *left -= taken;
                    bytes = bytes.get(taken..).unwrap_or_default();
                    if *left == 0 {
                        self.state = HEAD;
                    }
                }
            }
        }
        true
    }

    /// Bytes of answers went.
    pub(super) fn wrote(&mut self, bytes: usize) {
        if !self.counts() {
            return;
        }
        self.written = self.written.saturating_add(bytes);
        let credits = self.written / BYTES_OF_ANSWER;
        self.written %= BYTES_OF_ANSWER;
        self.give(u32::try_from(credits).unwrap_or(u32::MAX));
    }

    fn frame(&mut self, kind: u8, length: usize) -> bool {
        const DATA: u8 = 0;
        const HEADERS: u8 = 1;
        match kind {
            HEADERS => self.give(FOR_REQUEST),
            DATA if length > 0 => self.give(FOR_REQUEST),
            _ => match self.credit.checked_sub(1) {
                Some(left) => self.credit = left,
                None => return false,
            },
        }
        true
    }

    fn give(&mut self, credits: u32) {
        self.credit = self.credit.saturating_add(credits).min(MOST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: u8 = 4;
    const PING: u8 = 6;
    const WINDOW_UPDATE: u8 = 8;

    fn frame(kind: u8, length: usize) -> Vec<u8> {
        let [.., a, b, c] = length.to_be_bytes();
        let mut bytes = vec![a, b, c, kind, 0, 0, 0, 0, 0];
        bytes.resize(9 + length, 0);
        bytes
    }

    fn connection() -> Frames {
        let mut frames = Frames::new();
        assert!(frames.read(PREFACE, 0));
        frames
    }

    /// Story: floods of SETTINGS, PING and WINDOW_UPDATE were answered for as long as they came.
    #[test]
    fn a_flood_ends_whatever_it_is_made_of_and_cut_into() {
        for kind in [SETTINGS, PING, WINDOW_UPDATE, 2, 0] {
            let flood = frame(kind, if kind == 0 { 0 } else { 8 }).repeat(MOST as usize + 1);
            assert!(!connection().read(&flood, 0), "{kind}");
            let mut frames = connection();
            assert!(!flood.chunks(7).all(|part| frames.read(part, 0)), "{kind}");
        }
    }

    #[test]
    fn what_clients_do_is_no_flood() {
        let mut frames = connection();
        for second in 0..10_000 {
            assert!(frames.read(&frame(PING, 8), second), "one PING a second");
        }
        for _ in 0..10_000 {
            // A request, and what its answer of 16 KiB is acknowledged with.
            assert!(frames.read(&[frame(1, 60), frame(WINDOW_UPDATE, 4), frame(WINDOW_UPDATE, 4), frame(SETTINGS, 0)].concat(), 0));
        }
        for _ in 0..10_000 {
            frames.wrote(16 * 1024);
            assert!(frames.read(&frame(WINDOW_UPDATE, 4).repeat(8), 0), "a long answer");
        }
        let mut old = Frames::new();
        assert!((0..100_000).all(|_| old.read(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", 0)));
    }
}
