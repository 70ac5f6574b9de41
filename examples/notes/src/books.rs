use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

const MOST_BOOKS: usize = 100;
const MOST_NOTES: usize = 100;
const LONGEST_NAME: usize = 64;
pub(crate) const LONGEST_TEXT_BYTES: usize = 10_000;

/// A note. `author` is the name of the person who wrote it last, if they let us know it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Note {
    pub name: String,
    pub text: String,
    pub author: Option<String>,
}

/// All notebooks, in memory.
#[derive(Default)]
pub(crate) struct Books(Mutex<BTreeMap<String, BTreeMap<String, Note>>>);

impl Books {
    /// The notes of a book by name; none for a book that nobody has written to.
    pub(crate) fn list(&self, book: &str) -> Vec<Note> {
        self.lock().get(book).map(|notes| notes.values().cloned().collect()).unwrap_or_default()
    }

    pub(crate) fn read(&self, book: &str, name: &str) -> Option<Note> {
        self.lock().get(book)?.get(name).cloned()
    }

    /// Writes or replaces a note. The error is for the person who wrote it.
    pub(crate) fn write(&self, book: &str, note: Note) -> Result<(), String> {
        if !is_name(book) || !is_name(&note.name) {
            return Err(format!(
                "The name of a book or a note has 1 to {LONGEST_NAME} letters, digits, spaces, dots, dashes or underscores."
            ));
        }
        if note.text.len() > LONGEST_TEXT_BYTES {
            return Err(format!("A note has at most {LONGEST_TEXT_BYTES} bytes."));
        }
        let mut books = self.lock();
        if !books.contains_key(book) && books.len() >= MOST_BOOKS {
            return Err(format!("There are {MOST_BOOKS} books already, and this is only an example."));
        }
        let notes = books.entry(book.to_owned()).or_default();
        if !notes.contains_key(&note.name) && notes.len() >= MOST_NOTES {
            return Err(format!("The book {book} is full: it has {MOST_NOTES} notes."));
        }
        notes.insert(note.name.clone(), note);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, BTreeMap<String, Note>>> {
        // A panic elsewhere cannot leave a map half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.chars().count() <= LONGEST_NAME
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '.' | '-' | '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(name: &str, text: &str) -> Note {
        Note { name: name.to_owned(), text: text.to_owned(), author: None }
    }

    #[test]
    fn writes_replaces_and_lists() {
        let books = Books::default();
        books.write("demo", note("b", "1")).unwrap();
        books.write("demo", note("a", "2")).unwrap();
        books.write("demo", note("b", "3")).unwrap();
        assert_eq!(books.list("demo").iter().map(|note| note.text.as_str()).collect::<Vec<_>>(), ["2", "3"]);
        assert_eq!(books.read("demo", "b").unwrap().text, "3");
        assert!(books.read("other", "b").is_none() && books.list("other").is_empty());
    }

    #[test]
    fn is_bounded_everywhere() {
        let books = Books::default();
        assert!(books.write("demo", note("", "x")).is_err());
        assert!(books.write("a/b", note("n", "x")).is_err());
        assert!(books.write("demo", note(&"n".repeat(LONGEST_NAME + 1), "x")).is_err());
        assert!(books.write("demo", note("n", &"x".repeat(LONGEST_TEXT_BYTES + 1))).is_err());
        for number in 0..MOST_NOTES {
            books.write("demo", note(&number.to_string(), "x")).unwrap();
        }
        assert!(books.write("demo", note("one more", "x")).unwrap_err().contains("full"));
        books.write("demo", note("0", "an old one may change")).unwrap();
        for number in 1..MOST_BOOKS {
            books.write(&number.to_string(), note("n", "x")).unwrap();
        }
        assert!(books.write("one more", note("n", "x")).unwrap_err().contains("100 books"));
    }
}
