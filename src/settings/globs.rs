//! Globs over paths below the root, as the configuration writes them.
//!
//! `*` stays within one part of a path, `**` does not; a glob without `/` matches a name at any depth, and one that
//! matches a folder matches all below it.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// Globs of one list, and bytes of one glob: what is compiled of a stranger's file stays small.
const GLOBS_MAX: usize = 1_000;
const GLOB_BYTES_MAX: usize = 1_000;

/// Several globs, in the order they were written.
#[derive(Clone, Debug, Default)]
pub struct Globs {
    set: GlobSet,
    /// For each glob of the set, the number of the one written.
    written: Vec<usize>,
}

/// Paths no glob has a reason to match all of.
const ANYTHING: [&str; 4] = ["q7zk", "q7zk.j5x", "w2/q7zk.j5x", "w2/v9/q7zk"];

impl Globs {
    /// Compiles `globs`.
    ///
    /// # Errors
    /// The number of the first that is none, and what is wrong with it.
    pub fn new<'g>(globs: impl IntoIterator<Item = &'g str>) -> Result<Self, (usize, String)> {
        let mut builder = GlobSetBuilder::new();
        let mut written = Vec::new();
        for (number, glob) in globs.into_iter().enumerate() {
            let fault = |message: String| (number, message);
            if number >= GLOBS_MAX {
                return Err(fault(format!("a list has {GLOBS_MAX} globs at most; name folders")));
            }
            if glob.len() > GLOB_BYTES_MAX {
                return Err(fault(format!("a glob has {GLOB_BYTES_MAX} bytes at most")));
            }
            for form in forms(glob).map_err(|message| fault(message.into()))? {
                let compiled = GlobBuilder::new(&form).literal_separator(true).backslash_escape(true).build();
                builder.add(compiled.map_err(|error| fault(error.kind().to_string()))?);
                written.push(number);
            }
        }
        let set = builder.build().map_err(|error| (0, error.kind().to_string()))?;
        Ok(Self { set, written })
    }

    /// The number of the last glob that matches `path`.
    pub fn last_match(&self, path: &str) -> Option<usize> {
        self.set.matches(path).into_iter().filter_map(|index| self.written.get(index).copied()).max()
    }

    /// Whether any glob matches whatever path there is.
    pub fn match_anything(&self) -> bool {
        ANYTHING.iter().all(|path| self.last_match(path).is_some())
    }
}

/// The globs that stand for `glob`: itself, and all below it.
fn forms(glob: &str) -> Result<[String; 2], &'static str> {
    let trimmed = glob.strip_suffix('/').unwrap_or(glob);
    if trimmed.is_empty() {
        return Err("an empty glob matches nothing");
    }
    if trimmed.split('/').any(|part| part == "..") {
        return Err("globs are relative to the folder of the configuration, and do not leave it");
    }
    if trimmed.starts_with('!') {
        return Err("a glob is not negated here");
    }
    let anchored = match trimmed.strip_prefix("./").or_else(|| trimmed.strip_prefix('/')) {
        Some(anchored) => anchored.to_owned(),
        None if trimmed.contains('/') => trimmed.to_owned(),
        None => format!("**/{trimmed}"),
    };
    let below = format!("{anchored}/**");
    Ok([anchored, below])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(glob: &str, path: &str) -> bool {
        Globs::new([glob]).unwrap().last_match(path).is_some()
    }

    #[test]
    fn globs_match_what_they_say() {
        for (glob, path) in [
            ("vendor/**", "vendor/a/b.js"),
            ("vendor/", "vendor/a/b.js"),
            ("*.min.js", "a/b.min.js"),
            ("node_modules", "a/node_modules/b/c"),
            ("/a.txt", "a.txt"),
            ("./a", "a/b"),
            ("apps/*/src", "apps/web/src/x.ts"),
        ] {
            assert!(matches(glob, path), "{glob} {path}");
        }
        for (glob, path) in [("/a.txt", "b/a.txt"), ("apps/*/x.ts", "apps/a/b/x.ts"), ("vendor/**", "avendor/x")] {
            assert!(!matches(glob, path), "{glob} {path}");
        }
    }

    #[test]
    fn a_glob_for_everything_is_known() {
        for glob in ["**", "*", "**/*", "/**", "?*", "{*,x}", "[!_]*", "**/**"] {
            assert!(Globs::new([glob]).unwrap().match_anything(), "{glob}");
        }
        for glob in ["src/**", "*.js", "*/**/x"] {
            assert!(!Globs::new([glob]).unwrap().match_anything(), "{glob}");
        }
        let long = "x".repeat(GLOB_BYTES_MAX + 1);
        assert!(Globs::new(std::iter::repeat_n("x", GLOBS_MAX + 1)).is_err());
        for glob in ["", "../x", "!x", "a[", "{a", &long] {
            assert!(Globs::new([glob]).is_err(), "{glob}");
        }
    }
}
