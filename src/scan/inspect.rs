//! What a source calls for each thing it meets: reads it, and keeps the thread's finds.
//!
//! It counts and names; what a blob holds is [`Reading`]'s.

use super::Shared;
use super::batch::Batch;
use super::ground::Ground;
use super::opening::{self, Watch};
use super::original;
use super::reading::Reading;
use crate::blob::{Blob, Origin, Visit, Visitor, Whole};
use crate::detect::{Detector, mask};
use crate::path;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Makes inspectors for the threads of one target.
pub(super) struct Inspection<'s> {
    pub shared: &'s Shared<'s>,
    pub ground: &'s dyn Ground,
}

impl Visit for Inspection<'_> {
    fn visitor(&self) -> Box<dyn Visitor + '_> {
        Box::new(Inspector::new(self.shared, self.ground))
    }
}

/// Inspects the blobs of one thread; what it found is collected when it is dropped.
pub(super) struct Inspector<'s> {
    pub shared: &'s Shared<'s>,
    pub ground: &'s dyn Ground,
    pub batch: Batch,
}

impl Drop for Inspector<'_> {
    fn drop(&mut self) {
        let batch = std::mem::take(&mut self.batch);
        self.shared.collected.lock().unwrap_or_else(std::sync::PoisonError::into_inner).merge(batch);
    }
}

impl Visitor for Inspector<'_> {
    fn wants(&mut self, path: &[u8]) -> bool {
        self.ground.wants(path)
    }

    fn left_out(&mut self, path: &[u8], reason: &str) {
        let path = self.shown(path);
        self.batch.leave_out(path, reason);
    }

    fn skipped(&mut self, what: &'static str) {
        self.batch.skip(what);
    }

    fn name(&mut self, path: &[u8]) {
        let name = memchr::memrchr(b'/', path).map_or(path, |slash| &path[slash + 1..]);
        if self.shared.detector.any(name) {
            let mut windows = Whole::new(name);
            self.blob(Blob { origin: Origin::TreeEntry, path, windows: &mut windows });
        }
    }

    fn blob(&mut self, blob: Blob<'_>) {
        let mut reading = Reading::new(self.shared, self.ground, blob.origin, blob.path);
        // One bad blob must not take the others down.
        let mut watch = Watch::new(blob.windows, blob.path);
        let ended = catch_unwind(AssertUnwindSafe(|| reading.read(&mut watch)));
        let seen = watch.seen();
        self.batch.depends_on_path |= seen.is_some() || reading.has_needles || !reading.is_empty();
        let fault = match ended {
            Ok(Ok(())) => blob.windows.changed().map(str::to_owned),
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("an internal error; please report it".into()),
        };
        if let Some(fault) = &fault {
            self.left_out(blob.path, fault);
        }
        if matches!(blob.origin, Origin::File | Origin::Stdin | Origin::Lfs | Origin::GitFile | Origin::Message) {
            self.batch.coverage.files += u64::from(fault.is_none());
            self.batch.coverage.bytes += reading.bytes;
            self.shared.options.progress.add(reading.bytes);
        }
        if let Some(seen) = seen.filter(|_| fault.is_none()) {
            let opened = catch_unwind(AssertUnwindSafe(|| opening::open(self, &blob, &seen, &mut reading)));
            if opened.is_err() {
                self.left_out(blob.path, "an internal error while it was opened; please report it");
            }
        }
        if reading.is_empty() {
            return;
        }
        original::tell_file(self.shared, &mut reading, &blob);
        // A hash that cannot be had leaves the finding as it is.
        let hashes = reading.line_hashes(blob.windows).unwrap_or_default();
        let shown = self.shown(blob.path);
        reading.finish(&shown, &hashes, &mut self.batch);
    }
}

impl<'s> Inspector<'s> {
    pub fn new(shared: &'s Shared<'s>, ground: &'s dyn Ground) -> Self {
        Self { shared, ground, batch: Batch::default() }
    }

    /// What it found so far, which is then not collected.
    pub fn take(&mut self) -> Batch {
        std::mem::take(&mut self.batch)
    }

    /// `path` as reports show it, keys in it masked.
    pub fn shown(&self, path: &[u8]) -> String {
        shown(&self.shared.detector, self.ground.prefix(), path)
    }
}

/// `path` behind `prefix` as reports show it, keys in it masked.
pub(super) fn shown(detector: &Detector, prefix: &[u8], path: &[u8]) -> String {
    let path = path::encode(&[prefix, path].concat());
    if detector.any(path.as_bytes()) { mask(detector, path.as_bytes()) } else { path }
}

#[cfg(test)]
mod tests {
    use super::super::ground::Bare;
    use super::super::{HistoryOptions, Options, Overrides, Progress, Scope, Selection, Wanted};
    use super::*;
    use crate::blob::{Window, Windows};
    use crate::rule::{RuleFiles, Rules};
    use crate::unpack::Limits;
    use std::io;

    /// Gives its bytes, and then breaks over a message that holds some of them.
    struct Breaking<'b> {
        whole: Whole<'b>,
        bytes: &'b [u8],
        is_given: bool,
    }

    impl Windows for Breaking<'_> {
        fn next(&mut self) -> io::Result<Option<Window<'_>>> {
            assert!(!std::mem::replace(&mut self.is_given, true), "{}", String::from_utf8_lossy(self.bytes));
            self.whole.next()
        }

        fn rewind(&mut self) -> io::Result<bool> {
            Ok(false)
        }

        fn changed(&self) -> Option<&'static str> {
            None
        }
    }

    #[test]
    fn a_blob_over_which_the_program_breaks_takes_no_other_with_it() {
        let options = Options {
            scope: Scope::Stdin,
            selection: Selection::Every,
            jobs: 1,
            wanted: Wanted::default(),
            rules: Rules::load(&RuleFiles::embedded()).unwrap(),
            limits: Limits::default(),
            bounds: crate::detect::Bounds::default(),
            history: HistoryOptions::default(),
            now: 0,
            overrides: Overrides::default(),
            progress: Progress::new(false),
        };
        let shared = Shared::new(&options).unwrap();
        let ground = Bare::new(Vec::new());
        let mut inspector = Inspector::new(&shared, &ground);
        let key = format!("ansa_sk_live_{}", crate::secret::digest(&[b"broken"]));
        let mut breaking = Breaking { whole: Whole::new(key.as_bytes()), bytes: key.as_bytes(), is_given: false };
        inspector.blob(Blob { origin: Origin::File, path: b"broken.txt", windows: &mut breaking });
        inspector.blob(Blob { origin: Origin::File, path: b"sound.txt", windows: &mut Whole::new(key.as_bytes()) });
        let batch = inspector.take();
        let left_out: Vec<(&str, &str)> =
            batch.coverage.left_out.iter().map(|one| (one.path.as_str(), one.reason.as_str())).collect();
        assert_eq!(left_out, [("broken.txt", "an internal error; please report it")]);
        assert_eq!(batch.coverage.files, 1);
        assert!(batch.findings.iter().any(|finding| finding.path == "sound.txt"));
    }
}
