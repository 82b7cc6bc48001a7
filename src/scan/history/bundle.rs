//! Bundles, which are packs with a few refs in front, and pointers to files that LFS keeps elsewhere.
//!
//! A bundle found in a file or in a blob is read like a repository of its own; what it is based on comes from around it.

use super::super::Shared;
use super::{LazyGraph, Repository, reveal};
use crate::blob::Origin;
use crate::source::history::{
    Bounds, Content, Files, Graph, Indexes, Lineage, Place, Provenance, Store, object_name, sweep_trees,
};
use crate::source::open::{Node, Root};
use crate::source::repository::{Named, Refs};
use anyhow::{Context as _, Result, bail};
use bstr::ByteSlice as _;
use gix_hash::{Kind, ObjectId};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Bundles larger than this are left out: a bundle is held whole.
const BUNDLE_BYTES_MAX: u64 = 256 << 20;
/// Bundles in bundles that are opened.
const DEPTH_MAX: usize = 4;
/// Pointers are shorter than this; so git-lfs says.
pub(super) const POINTER_BYTES_MAX: u64 = 1_024;
/// Bytes that any pack in a blob may inflate to, however small it is.
const NESTED_BYTES_MIN: u64 = 64 << 20;
const POINTERS_LISTED_MAX: usize = 1_000;
const INNER: &[u8] = b"!/";

/// Whether an object that starts so is a bundle.
pub(super) fn is_bundle(start: &[u8]) -> bool {
    start.starts_with(b"# v2 git bundle\n") || start.starts_with(b"# v3 git bundle\n")
}

/// Whether an object that starts so is a pointer.
pub(super) fn is_pointer(start: &[u8]) -> bool {
    start.starts_with(b"version https://git-lfs.github.com/spec/")
}

/// The name of the file that a pointer stands for.
pub(super) fn pointer(bytes: &[u8]) -> Option<String> {
    if !is_pointer(bytes) || bytes.len() as u64 > POINTER_BYTES_MAX {
        return None;
    }
    let oid = bytes.lines().find_map(|line| line.strip_prefix(b"oid sha256:"))?.trim();
    let is_name = oid.len() == 64 && oid.iter().all(u8::is_ascii_hexdigit);
    is_name.then(|| String::from_utf8_lossy(oid).to_ascii_lowercase())
}

/// Reports the files LFS keeps that are not here.
pub(super) fn pointers(repository: &Repository<'_>, pointers: &[String]) {
    let Some(git) = repository.git else { return };
    let path = |name: &str| format!("lfs/objects/{}/{}/{name}", &name[..2], &name[2..4]);
    let mut absent: Vec<String> = pointers
        .iter()
        .map(|name| path(name))
        .filter(|path| !matches!(git.node(Path::new(path)), Ok(Node::File)))
        .collect();
    absent.sort_unstable();
    absent.dedup();
    for path in absent.iter().take(POINTERS_LISTED_MAX) {
        repository.leave_out(path.as_bytes(), "a file kept by LFS that is not here");
    }
    if absent.len() > POINTERS_LISTED_MAX {
        let more = absent.len() - POINTERS_LISTED_MAX;
        repository.leave_out(b"lfs/objects", &format!("{more} more files kept by LFS that are not here"));
    }
}

/// The bundle at `path`, named by the user.
pub(super) fn file(shared: &Shared<'_>, path: &Path, named: &[u8]) -> Result<()> {
    let name = path.file_name().unwrap_or_default();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let root = Root::open(folder).with_context(|| format!("{}: cannot be scanned", path.display()))?;
    let bytes = root.read_bounded(Path::new(name), BUNDLE_BYTES_MAX);
    let bytes = bytes.with_context(|| format!("{}: cannot be scanned", path.display()))?.unwrap_or_default();
    if !is_bundle(&bytes) {
        bail!("{}: neither a git repository nor a bundle; `ansalint scan` reads files", path.display());
    }
    let shown = if named.is_empty() { name.as_encoded_bytes() } else { named.trim_end_with(|end| end == '/') };
    shared.found_repository();
    read(shared, None, &[shown, INNER].concat(), (&bytes, &Bounds::new(bytes.len() as u64)));
    Ok(())
}

/// The bundle at `path` below `root`.
pub(super) fn below(shared: &Shared<'_>, root: &Path, path: &Path, named: &[u8]) {
    let shown = [named, path.as_os_str().as_encoded_bytes()].concat();
    let bytes = Root::open(root).and_then(|root| root.read_bounded(path, BUNDLE_BYTES_MAX));
    match bytes {
        Ok(Some(bytes)) if is_bundle(&bytes) => {
            shared.found_repository();
            read(shared, None, &[&shown, INNER].concat(), (&bytes, &Bounds::new(bytes.len() as u64)));
        }
        Ok(_) => {}
        Err(error) => shared.leave_out(&shown, &error.to_string()),
    }
}

/// The bundle or the bare pack in a file that is scanned; `prefix` is what paths in it are shown behind.
///
/// Gives how much of `left`, the bytes that it may inflate to, was spent.
pub(in super::super) fn scanned(
    shared: &Shared<'_>,
    prefix: &[u8],
    (bytes, is_bundle): (&[u8], bool),
    left: u64,
) -> u64 {
    let bounds = Bounds::within(left);
    if is_bundle {
        read(shared, None, prefix, (bytes, &bounds));
    } else {
        let files = Files::open(Vec::new(), Kind::Sha1);
        search(shared, &Store::of_pack(&files, bytes, None, &bounds), prefix, &Refs::default(), &bounds);
    }
    left - bounds.left()
}

/// What a pack in a blob or an archive may inflate to: as much as other archives of its size.
fn nested(shared: &Shared<'_>, bytes: &[u8]) -> Bounds {
    let limits = &shared.options.limits;
    Bounds::within(limits.ratio.saturating_mul(bytes.len() as u64).max(NESTED_BYTES_MIN).min(limits.bytes))
}

/// The bundles in blobs; with the lineage of all that was revealed, if it is known already.
pub(super) fn blobs(
    repository: &Repository<'_>,
    (graph, lineage): (&LazyGraph, Option<&Lineage>),
    revealed: &reveal::Revealed,
    bounds: &Bounds,
) {
    let bundles = &revealed.bundles;
    if bundles.is_empty() {
        return;
    }
    let targets = revealed.targets();
    // What fails in placing a bundle takes nothing from reading it.
    let paths = || {
        let needles = reveal::Needles::new(&repository.shared.detector);
        let swept = if lineage.is_none() { sweep_trees(repository.store, &needles, &targets, bounds).1 } else { None };
        lineage.or(swept.as_ref()).map(|lineage| paths(graph, lineage, targets.len() - bundles.len(), bundles.len()))
    };
    let paths = catch_unwind(AssertUnwindSafe(paths)).ok().flatten().unwrap_or_default();
    for (number, (id, place)) in bundles.iter().enumerate() {
        let path = paths.get(number).cloned().flatten();
        let path = path.or_else(|| repository.staged(id).into_iter().next());
        let name = match path {
            Some(path) => [repository.tree_prefix, &path].concat(),
            None => [repository.prefix, &super::place::object_path(Origin::Blob, id)].concat(),
        };
        blob(repository, id, *place, &name);
    }
}

/// Date and place in the order of a commit, and a path.
type First<'s> = (i64, u32, &'s [u8]);

/// The path that each of `count` targets, the first of which has the number `first`, had in the first commit that had it.
fn paths(graph: &Graph, lineage: &Lineage, first: usize, count: usize) -> Vec<Option<Vec<u8>>> {
    let mut things = vec![Vec::new(); first];
    things.extend((0..).take(count).map(|number: u32| vec![number]));
    let provenance = Provenance::new(graph, lineage, &things);
    let mut firsts: Vec<Option<First<'_>>> = vec![None; count];
    for spot in &provenance.spots {
        let Some(&commit) = spot.introduced.first() else { continue };
        let first = (graph.commit(commit).time, graph.rank(commit), spot.path.as_slice());
        let known = &mut firsts[spot.thing as usize];
        *known = Some(known.map_or(first, |known| known.min(first)));
    }
    firsts.into_iter().map(|first| first.map(|(_, _, path)| path.to_vec())).collect()
}

/// The bundle in the blob that reports call `name`.
fn blob(repository: &Repository<'_>, id: &ObjectId, place: Place, name: &[u8]) {
    let Some(Content::Whole { bytes, .. }) = repository.store.content(id, place) else {
        return repository.leave_out(object_name(id).as_bytes(), "a bundle of more than 128 MiB");
    };
    if name.find_iter(INNER).count() >= DEPTH_MAX {
        return repository.shared.leave_out(name, "limit on nesting reached");
    }
    let bounds = nested(repository.shared, &bytes);
    read(repository.shared, Some(repository.store), &[name, INNER].concat(), (&bytes, &bounds));
}

/// Reads a bundle; the objects that it is based on come from `around`.
fn read(shared: &Shared<'_>, around: Option<&Store<'_>>, prefix: &[u8], (bytes, bounds): (&[u8], &Bounds)) {
    let Some((refs, object_hash, pack)) = head(bytes) else {
        return shared.leave_out(prefix, "a bundle whose head is damaged");
    };
    let files = Files::open(Vec::new(), object_hash);
    let around = around.filter(|store| store.object_hash() == object_hash);
    search(shared, &Store::of_pack(&files, pack, around, bounds), prefix, &refs, bounds);
}

fn search(shared: &Shared<'_>, store: &Store<'_>, prefix: &[u8], refs: &Refs, bounds: &Bounds) {
    let indexes = Indexes::default();
    let repository = Repository { shared, git: None, prefix, tree_prefix: prefix, store, refs, indexes: &indexes };
    repository.scan(bounds, &reveal::Needles::new(&shared.detector));
}

/// The refs in front of a bundle, how its objects are named, and its pack; see gitformat-bundle(5).
fn head(bytes: &[u8]) -> Option<(Refs, Kind, &[u8])> {
    let mut rest = bytes;
    let mut object_hash = Kind::Sha1;
    let mut refs = Refs::default();
    let mut is_first = true;
    loop {
        let end = memchr::memchr(b'\n', rest)?;
        let (line, after) = (&rest[..end], &rest[end + 1..]);
        rest = after;
        if std::mem::take(&mut is_first) {
            continue;
        }
        if line.is_empty() {
            refs.names.sort();
            return Some((refs, object_hash, rest));
        }
        match line.first() {
            Some(b'@') if line == b"@object-format=sha256" => object_hash = Kind::Sha256,
            Some(b'@' | b'-') => {}
            _ => {
                let (hex, name) = line.split_once_str(b" ")?;
                refs.names.push(Named { name: name.to_vec(), target: ObjectId::from_hex(hex).ok() });
            }
        }
    }
}
