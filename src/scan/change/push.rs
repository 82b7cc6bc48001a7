//! What a push adds: all that it sends leads to and that the remote has not, as far as that is known here.
//!
//! Known is what git says the remote's refs lead to now, and what was last fetched from it.

use super::added::Ends;
use super::{ChangeOptions, InTree, Place};
use crate::blob::{Blob, Origin, Visitor as _, Whole};
use crate::finding::Finding;
use crate::null_id::is_null_id;
use crate::scan::Shared;
use crate::scan::batch::Batch;
use crate::scan::ground::Bare;
use crate::scan::inspect::{Inspector, shown};
use crate::source::change;
use crate::source::history::Top;
use crate::source::repository::{Refs, follow};
use anyhow::{Context as _, Result, bail};
use bstr::ByteSlice as _;
use gix_hash::ObjectId;
use gix_object::Kind;
use std::io::{IsTerminal as _, Read as _};

/// Far more than the names of all refs that git can keep apart.
const UPDATES_BYTES_MAX: u64 = 256 << 20;
/// Refs of a remote that are followed.
const TRACKING_MAX: usize = 100_000;

/// What is pushed, and to where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// The name of the remote; its URL where it has none.
    pub remote: Vec<u8>,
    /// The refs.
    pub updates: Updates,
}

/// Where the refs of a push are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Updates {
    /// On standard input, as git tells its hook.
    Stdin,
    /// By whoever called.
    Given(Vec<Update>),
}

/// One ref that is pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// What it is to lead to; zeros where it is to be deleted.
    pub local: String,
    /// Its name on the other side.
    pub name: Vec<u8>,
    /// Where it starts: what it leads to so far, or a commit that the remote has; zeros for none.
    pub remote: String,
    /// Whether the remote may not have a ref of that name yet.
    pub is_new: bool,
}

impl Update {
    /// Of one line that git gives its hook: local ref, local id, remote ref, remote id. The local ref is what somebody
    /// typed and may hold spaces.
    pub fn parse(line: &[u8]) -> Option<Self> {
        let mut parts = line.rsplitn_str(4, " ");
        let (remote, name, local) = (parts.next()?, parts.next()?, parts.next()?);
        parts.next()?;
        let id = |hex: &[u8]| ObjectId::from_hex(hex).ok().map(|id| id.to_hex().to_string());
        let remote = id(remote)?;
        Some(Self { local: id(local)?, name: name.to_vec(), is_new: is_null_id(&remote), remote })
    }
}

/// Scans a push; gives the commit at the end of the first ref.
///
/// # Errors
/// No repository, standard input that is no list of refs, or something pushed that is not here.
pub(in crate::scan) fn run(shared: &Shared<'_>, options: &ChangeOptions, push: &Push) -> Result<Option<String>> {
    let place = Place::open(shared, options)?;
    let told;
    let updates = match &push.updates {
        Updates::Given(updates) => updates,
        Updates::Stdin => {
            told = from_stdin()?;
            &told
        }
    };
    let refs = place.checkout.refs();
    let mut ends = Ends { lefts: tracking(&refs, &push.remote), ..Ends::default() };
    let mut bare = Vec::new();
    for update in updates.iter().filter(|update| !is_null_id(&update.local)) {
        place.name_of(update, known(&refs, &push.remote, &update.name));
        place.base(update, &refs, &mut ends);
        let (kind, id) = place.end(update, &refs, &mut ends)?;
        match kind {
            Kind::Commit => ends.rights.push(id),
            _ => bare.push((kind, id)),
        }
    }
    place.scan(&ends)?;
    for (kind, id) in bare {
        place.bare(kind, &id);
    }
    Ok(ends.rights.first().map(|id| id.to_hex().to_string()))
}

fn from_stdin() -> Result<Vec<Update>> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        bail!("what is pushed stands on standard input, as git gives it to its pre-push hook, and that is a terminal");
    }
    let mut text = Vec::new();
    let read = stdin.lock().take(UPDATES_BYTES_MAX + 1).read_to_end(&mut text);
    read.context("standard input cannot be read")?;
    if text.len() as u64 > UPDATES_BYTES_MAX {
        bail!("standard input: more than a list of refs");
    }
    let lines = text.lines().enumerate().filter(|(_, line)| !line.is_empty());
    let update = |(number, line)| {
        Update::parse(line).with_context(|| {
            format!(
                "standard input, line {}: not what git gives its pre-push hook, `LOCAL-REF LOCAL-ID REMOTE-REF REMOTE-ID`",
                number + 1
            )
        })
    };
    lines.map(update).collect()
}

/// What the refs that were last fetched from `remote` lead to.
fn tracking(refs: &Refs, remote: &[u8]) -> Vec<ObjectId> {
    let below = [b"refs/remotes/", remote, b"/"].concat();
    let named = refs.names.iter().filter(|named| named.name.starts_with(&below));
    let mut ids: Vec<ObjectId> = named.filter_map(|named| named.target).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.truncate(TRACKING_MAX);
    ids
}

/// Whether the ref called `name` was fetched from `remote`.
fn known(refs: &Refs, remote: &[u8], name: &[u8]) -> bool {
    let branch = name.strip_prefix(b"refs/heads/").unwrap_or(name);
    refs.find(&[b"refs/remotes/", remote, b"/", branch].concat()).is_some()
}

impl Place<'_> {
    /// Keys in the name that a ref has on the other side, where it may be there already.
    fn name_of(&self, update: &Update, is_known: bool) {
        let ground = Bare::default();
        let mut inspector = Inspector::new(self.shared, &ground);
        inspector.blob(Blob { origin: Origin::Ref, path: &update.name, windows: &mut Whole::new(&update.name) });
        let mut batch = inspector.take();
        let new = update.is_new && !is_known;
        batch.findings.iter_mut().for_each(|finding| finding.new = new);
        self.shared.collected().merge(batch);
    }

    /// Where the remote's ref is so far.
    fn base(&self, update: &Update, refs: &Refs, ends: &mut Ends) {
        if is_null_id(&update.remote) {
            return;
        }
        if let Ok(base) = self.commit(&update.remote, refs) {
            ends.lefts.push(base.commit);
            return ends.old.push(base.commit);
        }
        let name = shown(&self.shared.detector, b"", &update.name);
        self.shared.collected().remarks.push(format!(
            "{name}: {}, to which it leads on the remote, is not here, so what is new is told by what was last fetched; \
             `git fetch` makes it exact",
            update.remote
        ));
    }

    /// What a ref is to lead to, annotated tags on the way followed.
    fn end(&self, update: &Update, refs: &Refs, ends: &mut Ends) -> Result<(Kind, ObjectId)> {
        let Ok(id) = ObjectId::from_hex(update.local.as_bytes()) else {
            let end = self.commit(&update.local, refs)?;
            ends.tags.extend(end.tags);
            return Ok((Kind::Commit, end.commit));
        };
        let end = follow(id, &self.objects).or_else(|reason| bail!("{}: {reason}", update.local))?;
        ends.tags.extend(end.tags);
        Ok((end.kind, end.id))
    }

    /// A tree or a blob that is pushed without a commit, of which all counts as new.
    fn bare(&self, kind: Kind, id: &ObjectId) {
        let mut all = Batch::default();
        let mut take = |(findings, batch): (Vec<Finding>, Batch)| {
            all.merge(batch);
            all.findings.extend(findings);
        };
        if kind == Kind::Blob {
            let path = crate::scan::history::object_path(Origin::Blob, id);
            take(self.blob(&path, id, &Bare::new(b".git/".to_vec()), Origin::Blob));
        } else {
            let facts = self.facts();
            let ground = InTree { facts: Some(&facts), top: Some(Top::Tree(*id)) };
            let changes = change::trees(&self.objects, *id, &[]);
            super::leave_out_of(self.shared, &changes);
            for change in &changes.added {
                take(self.blob(&change.path, &change.id, &ground, Origin::Blob));
                take(self.name(&change.path));
            }
            changes.names.iter().for_each(|path| take(self.name(path)));
        }
        self.shared.collected().merge(all);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::null_id::NULL_ID;

    #[test]
    fn a_line_is_read_from_its_end() {
        let id = "12".repeat(20);
        let line = format!("main@{{1 day ago}} {id} refs/heads/x {NULL_ID}");
        let update = Update::parse(line.as_bytes()).unwrap();
        assert_eq!(
            update,
            Update { local: id.clone(), name: b"refs/heads/x".to_vec(), remote: NULL_ID.into(), is_new: true }
        );
        for wrong in ["", "a", &format!("{id} refs/heads/x {NULL_ID}"), &format!("a b refs/heads/x {NULL_ID}")] {
            assert_eq!(Update::parse(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
