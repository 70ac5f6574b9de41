//! Many texts in one piece of memory.

/// Texts one behind the other, and where each ends. What is read in order is read from memory in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts {
    all: Box<str>,
    ends: Box<[u32]>,
}

impl Texts {
    /// These texts in this order.
    pub(crate) fn new<'t>(texts: impl Iterator<Item = &'t str> + Clone) -> Texts {
        let (count, length) = texts.clone().fold((0, 0), |(count, length), text| (count + 1, length + text.len()));
        let (mut all, mut ends) = (String::with_capacity(length), Vec::with_capacity(count));
        for text in texts {
            all.push_str(text);
            // No record has four gigabytes of text: what a request may hold is bounded far below. Beyond, texts would be empty.
            ends.push(u32::try_from(all.len()).unwrap_or(u32::MAX));
        }
        Texts { all: all.into(), ends: ends.into() }
    }

    /// See [`read_ahead`].
    pub(crate) fn read_ahead(&self) {
        read_ahead(self.all.as_bytes());
        read_ahead(&self.ends);
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The text of this place; empty where there is none.
    pub(crate) fn get(&self, at: usize) -> &str {
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |end| *end as usize);
        let end = self.ends.get(at).map_or(start, |end| *end as usize);
        self.all.get(start..end).unwrap_or_default()
    }

    /// All in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> + Clone {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let text = self.all.get(start..*end as usize).unwrap_or_default();
            start = *end as usize;
            text
        })
    }
}

/// Reads a piece of memory from one end to the other, so that it is in the caches of the processor when its parts are read in another order soon.
pub(crate) fn read_ahead<T: Copy>(piece: &[T]) {
    const CACHE_LINE: usize = 64;
    piece.iter().step_by(CACHE_LINE / size_of::<T>().clamp(1, CACHE_LINE)).for_each(|part| {
        std::hint::black_box(*part);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_out_as_they_went_in() {
        for texts in [&[][..], &[""], &["a"], &["", "b", "", "\u{e9}\u{1f600}", "c d"]] {
            let all = Texts::new(texts.iter().copied());
            assert_eq!((all.len(), all.iter().collect::<Vec<_>>()), (texts.len(), texts.to_vec()));
            for at in 0..texts.len() + 2 {
                assert_eq!(all.get(at), texts.get(at).copied().unwrap_or_default());
            }
        }
    }
}
