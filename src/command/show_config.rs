//! `ansalint config`: the configuration in force, as a configuration, each value with where it came from.

use crate::config::{Config, Terms};
use crate::exit::Exit;
use crate::output::Destination;
use crate::report::escape;
use crate::settings::{Spanned, line_and_column};
use anyhow::Result;
use std::fmt::{Debug, Write as _};

/// Prints it.
pub(super) fn run(args: &crate::cli::ConfigArgs) -> Result<Exit> {
    let terms = Config::terms(&args.policy, &args.path)?;
    let text = Shown { terms: &terms, text: String::new() }.all();
    Destination::Stdout.write(|out| text.lines().try_for_each(|line| writeln!(out, "{}", escape(line))))?;
    Ok(Exit::Clean)
}

struct Shown<'t> {
    terms: &'t Terms,
    text: String,
}

impl Shown<'_> {
    fn all(mut self) -> String {
        let settings = &self.terms.suppressions.settings;
        let origin = &self.terms.origin;
        match &origin.settings {
            Some((name, _)) => self.line(&format!("# read from {name}")),
            None => self.line("# no ansalint.toml is in force; these are the defaults"),
        }
        self.value("fail-on", settings.fail_on.as_ref(), "\"warning\"", |level| level.as_str().to_owned());
        self.value("on-incomplete", settings.on_incomplete.as_ref(), "\"fail\"", |action| {
            format!("{action:?}").to_lowercase()
        });
        self.value("publishable", settings.publishable.as_ref(), "false", bool::to_string);
        let baseline = origin.baseline.as_ref().map_or("there is none".into(), |name| {
            format!("{name}, {} entries", self.terms.suppressions.baseline.len())
        });
        if settings.baseline.is_some() {
            self.value("baseline", settings.baseline.as_ref(), "\"\"", Clone::clone);
        }
        self.line(&format!("# baseline: {baseline}"));
        if settings.exclude.is_empty() {
            self.line("exclude = []  # default");
        } else {
            self.line("exclude = [");
            for glob in &settings.exclude {
                self.line(&format!("  {:?},  # {}", glob.get_ref(), self.place(glob)));
            }
            self.line("]");
        }
        self.table("rules", settings.rules.iter().map(|(name, level)| (name, level.get_ref().as_str())));
        let mut sides: Vec<_> = settings.sides.iter().collect();
        sides.sort_by_key(|(glob, _)| glob.span().start);
        self.table("sides", sides.into_iter().map(|(glob, side)| (glob, side.get_ref().as_str())));
        self.limits();
        self.entries();
        self.outside();
        self.text
    }

    fn limits(&mut self) {
        let limits = &self.terms.suppressions.settings.limits;
        let told =
            |(name, value): (&str, Spanned<u64>)| format!("{name} = {}  # {}", value.get_ref(), self.place(&value));
        let lines: Vec<String> = limits.set().into_iter().map(told).collect();
        if !lines.is_empty() {
            self.line("\n[limits]");
            for line in &lines {
                self.line(line);
            }
        }
    }

    fn entries(&mut self) {
        let settings = &self.terms.suppressions.settings;
        for entry in &settings.allow {
            self.line(&format!("\n[[allow]]  # {}", self.place(&entry.fingerprint)));
            self.pairs(&[("fingerprint", Some(entry.fingerprint.get_ref())), ("reason", Some(entry.reason.get_ref()))]);
            self.pairs(&[("owner", entry.owner.as_ref()), ("path", entry.path.as_ref().map(Spanned::get_ref))]);
            if let Some(day) = entry.expires {
                let note = if day < self.terms.suppressions.today { "  # EXPIRED" } else { "" };
                self.line(&format!("expires = {day}{note}"));
            }
        }
        for accepted in &settings.accept_unread {
            self.line(&format!("\n[[accept-unread]]  # {}", self.place(&accepted.path)));
            let (path, reason, hash) = (accepted.path.get_ref(), accepted.reason.get_ref(), accepted.hash.get_ref());
            self.pairs(&[("path", Some(path)), ("reason", Some(reason)), ("hash", Some(hash))]);
        }
        let file = self.terms.origin.deactivated.as_deref().unwrap_or("--deactivated");
        for (dead, is_own) in settings
            .deactivated
            .iter()
            .map(|dead| (dead, true))
            .chain(self.terms.suppressions.deactivated.iter().map(|dead| (dead, false)))
        {
            let place = if is_own { self.place(&dead.fingerprint) } else { file.to_owned() };
            self.line(&format!("\n[[deactivated]]  # {place}"));
            self.pairs(&[("fingerprint", Some(dead.fingerprint.get_ref())), ("ticket", Some(dead.ticket.get_ref()))]);
            self.line(&format!("date = {}", dead.date));
        }
    }

    /// What came from arguments, and what the files on disk would have said.
    fn outside(&mut self) {
        for fingerprint in &self.terms.suppressions.arguments {
            self.line(&format!("\n# allowed by an argument: {fingerprint}"));
        }
        for remark in &self.terms.remarks {
            self.line(&format!("\n# note: {remark}"));
        }
    }

    fn table<'v>(&mut self, name: &str, values: impl Iterator<Item = (&'v Spanned<String>, &'v str)>) {
        let lines: Vec<String> =
            values.map(|(key, value)| format!("{:?} = {value:?}  # {}", key.get_ref(), self.place(key))).collect();
        if !lines.is_empty() {
            self.line(&format!("\n[{name}]"));
            for line in &lines {
                self.line(line);
            }
        }
    }

    fn value<T: Debug>(&mut self, key: &str, set: Option<&Spanned<T>>, default: &str, word: impl Fn(&T) -> String) {
        let line = match set {
            None => format!("{key} = {default}  # default"),
            Some(set) => {
                let word = word(set.get_ref());
                let word = if default.starts_with('"') { format!("{word:?}") } else { word };
                format!("{key} = {word}  # {}", self.place(set))
            }
        };
        self.line(&line);
    }

    fn pairs(&mut self, pairs: &[(&str, Option<&String>)]) {
        for (key, value) in pairs {
            if let Some(value) = value {
                self.line(&format!("{key} = {value:?}"));
            }
        }
    }

    /// Name and line of the file that has it.
    fn place<T>(&self, value: &Spanned<T>) -> String {
        let origin = self.terms.origin.settings.as_ref();
        origin
            .map_or_else(String::new, |(name, text)| format!("{name}:{}", line_and_column(text, value.span().start).0))
    }

    fn line(&mut self, line: &str) {
        // Writing to a `String` cannot fail.
        let _ = writeln!(self.text, "{line}");
    }
}
