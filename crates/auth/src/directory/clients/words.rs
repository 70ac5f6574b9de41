//! Texts that scopes of one page are written with: clients beside one another have scopes that begin alike.

use super::numbers::{Reader, put_number, put_text};

/// So many texts a page has at most, and none that is longer.
const MOST: usize = 48;
const LONGEST: usize = 256;
/// A shorter beginning is written as it is.
const SHORTEST: usize = 4;

/// The texts of a page, in the order in which they came.
#[derive(Clone, Default)]
pub(super) struct Words {
    texts: Vec<u8>,
    ends: Vec<u16>,
}

impl Words {
    /// Writes a scope as a beginning that it has in common with a word, and the rest. It may become a word itself.
    pub(super) fn put(&mut self, to: &mut Vec<u8>, scope: &[u8]) {
        let mut best = self.most_alike(scope).filter(|(_, shared)| *shared >= SHORTEST);
        if best.is_none_or(|(_, shared)| shared * 2 < scope.len()) && self.ends.len() < MOST && (SHORTEST..=LONGEST).contains(&scope.len())
        {
            best = Some((self.ends.len(), scope.len()));
            self.texts.extend_from_slice(scope);
            // INVARIANT: a number of so many bits holds the longest words.
            self.ends.push(u16::try_from(self.texts.len()).unwrap_or(u16::MAX));
        }
        match best {
            None => {
                put_number(to, 0);
                put_text(to, scope);
            }
            Some((word, shared)) => {
                put_number(to, word as u64 + 1);
                put_number(to, shared as u64);
                put_text(to, scope.get(shared..).unwrap_or_default());
            }
        }
    }

    /// The two parts of a scope.
    pub(super) fn read<'w>(&'w self, from: &mut Reader<'w>) -> [&'w [u8]; 2] {
        let beginning = match from.size().checked_sub(1) {
            None => &[][..],
            Some(word) => {
                let shared = from.size();
                self.get(word).get(..shared).unwrap_or_default()
            }
        };
        [beginning, from.text()]
    }

    /// Without what it does not hold yet.
    pub(super) fn shrink(&mut self) {
        self.texts.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    fn get(&self, at: usize) -> &[u8] {
        let end_of = |at: usize| self.ends.get(at).copied().map_or(0, usize::from);
        let start = at.checked_sub(1).map_or(0, end_of);
        self.texts.get(start..end_of(at)).unwrap_or_default()
    }

    /// The word with the longest beginning in common, or the first that is long enough, and its length.
    fn most_alike(&self, scope: &[u8]) -> Option<(usize, usize)> {
        let mut best: Option<(usize, usize)> = None;
        for word in 0..self.ends.len() {
            let shared = common(self.get(word), scope);
            if best.is_none_or(|(_, most)| shared > most) {
                best = Some((word, shared));
            }
            if shared * 4 >= scope.len() * 3 {
                break;
            }
        }
        best
    }
}

/// The length of what both begin with.
pub(super) fn common(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_come_out_as_they_went_in() {
        let mut scopes: Vec<String> = ["", "a", "assume:x", "assume:x*", "assume:y", "*"].map(str::to_owned).to_vec();
        scopes.extend((0..200).map(|n| format!("{n}:service:{n:03}")));
        scopes.extend(["l".repeat(LONGEST), "l".repeat(LONGEST + 1), "m".repeat(5000)]);
        let (mut words, mut bytes) = (Words::default(), Vec::new());
        scopes.iter().for_each(|scope| words.put(&mut bytes, scope.as_bytes()));
        words.shrink();
        assert_eq!(words.ends.len(), MOST);
        let mut read = Reader(&bytes);
        for scope in &scopes {
            assert_eq!(words.read(&mut read).concat(), scope.as_bytes());
        }
        assert!(read.0.is_empty());
    }

    #[test]
    fn what_begins_alike_takes_few_bytes() {
        let (mut words, mut bytes) = (Words::default(), Vec::new());
        for n in 0..100 {
            words.put(&mut bytes, format!("service:notes:client-{n:07}").as_bytes());
        }
        assert!(bytes.len() < 100 * 6 && words.ends.len() == 1, "{} bytes, {} words", bytes.len(), words.ends.len());
    }
}
