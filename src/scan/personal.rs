//! Excerpts of git's own texts without the people in them: names only where they are asked for, addresses never.

use crate::blob::Origin;
use crate::finding::Excerpt;

/// Header lines of commits and tags that name people.
const PEOPLE: [&str; 3] = ["author ", "committer ", "tagger "];

/// `excerpt` of a text of `origin`, with nobody named in it.
pub(super) fn without_people(origin: Origin, excerpt: Excerpt) -> Excerpt {
    let before = &excerpt.text[..excerpt.key.start];
    match origin {
        Origin::Reflog => match before.rfind('\t') {
            // The message follows the tab.
            Some(tab) => without_addresses(&behind(&excerpt, tab + 1)),
            None => key_alone(&excerpt),
        },
        Origin::Commit | Origin::Tag => {
            let is_header = PEOPLE.iter().any(|person| before.starts_with(person));
            let may_be = excerpt.cut_before && excerpt.text.contains('@');
            if is_header || may_be { key_alone(&excerpt) } else { without_addresses(&excerpt) }
        }
        _ => excerpt,
    }
}

fn key_alone(excerpt: &Excerpt) -> Excerpt {
    let text = excerpt.text[excerpt.key.clone()].to_owned();
    Excerpt { key: 0..text.len(), text, cut_before: true, cut_after: true }
}

fn behind(excerpt: &Excerpt, from: usize) -> Excerpt {
    let key = excerpt.key.start - from..excerpt.key.end - from;
    Excerpt { text: excerpt.text[from..].to_owned(), key, cut_before: true, cut_after: excerpt.cut_after }
}

/// Every word around the key that holds an `@` is cut down to it.
fn without_addresses(excerpt: &Excerpt) -> Excerpt {
    let clean = |text: &str| {
        let words: Vec<&str> = text.split(' ').map(|word| if word.contains('@') { "…@…" } else { word }).collect();
        words.join(" ")
    };
    let before = clean(&excerpt.text[..excerpt.key.start]);
    let key = &excerpt.text[excerpt.key.clone()];
    let text = format!("{before}{key}{}", clean(&excerpt.text[excerpt.key.end..]));
    let key = before.len()..before.len() + key.len();
    Excerpt { text, key, cut_before: excerpt.cut_before, cut_after: excerpt.cut_after }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(origin: Origin, before: &str, after: &str) -> String {
        let text = format!("{before}KEY{after}");
        let excerpt = Excerpt { text, key: before.len()..before.len() + 3, ..Excerpt::default() };
        let clean = without_people(origin, excerpt);
        assert_eq!(&clean.text[clean.key.clone()], "KEY");
        clean.text
    }

    #[test]
    fn nobody_is_named() {
        assert_eq!(of(Origin::Reflog, "1 2 Ann <a@x> 1 +0\tcommit: ", " b@y"), "commit: KEY …@…");
        assert_eq!(of(Origin::Reflog, "1 2 Ann ", " <a@x> 1 +0\tcommit"), "KEY");
        assert_eq!(of(Origin::Commit, "author Ann ", " <a@x> 1 +0"), "KEY");
        assert_eq!(of(Origin::Commit, "mail ann@x now, ", "."), "mail …@… now, KEY.");
        assert_eq!(of(Origin::File, "mail ann@x ", ""), "mail ann@x KEY");
    }
}
