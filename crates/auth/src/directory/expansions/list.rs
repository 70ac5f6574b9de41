//! Lists of scopes, as what is remembered of them is found.

use std::sync::OnceLock;

use super::list_hasher::ListHasher;
use crate::directory::clients::packed::Piece;

/// A list of scopes.
pub(crate) trait List<'l> {
    /// Its scopes, in order.
    fn scopes(&self) -> impl Iterator<Item = &'l [u8]> + Clone;

    /// By what it is looked for.
    fn hash(&self, hasher: &ListHasher) -> u64 {
        hasher.hash(self.scopes())
    }

    /// Whether it is this one: the scopes one behind the other, and where each ends.
    fn is(&self, text: &[u8], ends: &[u32]) -> bool;
}

/// One that is gone through scope by scope.
#[derive(Clone)]
pub(crate) struct Each<I>(pub(crate) I);

impl<'l, I: Iterator<Item = &'l [u8]> + Clone> List<'l> for Each<I> {
    fn scopes(&self) -> impl Iterator<Item = &'l [u8]> + Clone {
        self.0.clone()
    }

    /// Each scope is compared with what stands where it would stand.
    fn is(&self, text: &[u8], ends: &[u32]) -> bool {
        let (mut rest, mut ends) = (text, ends.iter());
        for scope in self.0.clone() {
            let Some((known, behind)) = rest.split_at_checked(scope.len()) else { return false };
            rest = behind;
            if known != scope || ends.next().is_none_or(|end| text.len() - rest.len() != *end as usize) {
                return false;
            }
        }
        ends.next().is_none()
    }
}

/// One of a client, which lies in one piece, and a scope more: nearly every request asks for it, so its hash is kept, and it is compared as a whole.
#[derive(Clone, Copy)]
pub(crate) struct OfClient<'l> {
    pub(crate) own: Piece<'l>,
    pub(crate) last: &'static [u8],
    /// Of all of it, once it was needed.
    pub(crate) hash: &'l OnceLock<u64>,
}

impl<'l> List<'l> for OfClient<'l> {
    fn scopes(&self) -> impl Iterator<Item = &'l [u8]> + Clone {
        self.own.each().chain(std::iter::once(self.last))
    }

    fn hash(&self, hasher: &ListHasher) -> u64 {
        *self.hash.get_or_init(|| hasher.hash(self.scopes()))
    }

    fn is(&self, text: &[u8], ends: &[u32]) -> bool {
        let Some((_, own_ends)) = ends.split_last() else { return false };
        text.split_at_checked(self.own.text.len()) == Some((self.own.text, self.last))
            && own_ends.len() == self.own.ends.len()
            && self.own.ends().zip(own_ends).fold(true, |all, (own, known)| all & (own == *known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The client's form, with `scopes` behind something else.
    fn of_client(scopes: &[&str]) -> (Vec<u8>, Vec<[u8; 4]>, OnceLock<u64>) {
        let mut end = 7_u32;
        let ends = scopes.iter().map(|scope| {
            end += scope.len() as u32;
            end.to_le_bytes()
        });
        (scopes.concat().into_bytes(), ends.collect(), OnceLock::new())
    }

    #[test]
    fn both_forms_are_alike() {
        let hasher = ListHasher::new(7);
        let lists = [&[][..], &["a"], &["ab"], &["a", "b"], &["b", "a"], &["", "ab"], &["a", "b", ""], &["a", "last"]];
        let last = ["last"];
        for known in lists {
            let texts: Vec<&[u8]> = known.iter().chain(&last).map(|scope| scope.as_bytes()).collect();
            let ends: Vec<u32> = texts.iter().scan(0, |end, scope| Some(*end + scope.len() as u32).inspect(|next| *end = *next)).collect();
            let text = texts.concat();
            for list in lists {
                let (own, own_ends, hash) = of_client(list);
                let whole = OfClient { own: Piece { text: &own, ends: &own_ends, start: 7 }, last: b"last", hash: &hash };
                let each = Each(list.iter().chain(&last).map(|scope| scope.as_bytes()));
                assert!(whole.scopes().eq(each.scopes()), "{list:?}");
                assert_eq!((whole.is(&text, &ends), each.is(&text, &ends)), (list == known, list == known), "{list:?} {known:?}");
                assert_eq!((whole.hash(&hasher), whole.hash(&hasher)), (each.hash(&hasher), each.hash(&hasher)), "{list:?}");
                assert!(!whole.is(b"", &[]) && !whole.is(&text, &[]));
            }
        }
    }
}
