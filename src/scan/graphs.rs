//! Who imports whom in the trees of the store that were last asked about.

use crate::classify::{Classifier, Graph};
use crate::side::Judgement;
use crate::source::history::{Top, TreeFacts};
use bstr::ByteSlice as _;
use gix_hash::ObjectId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Trees that are remembered before all are forgotten.
const TREES_MAX: usize = 16;

/// The graphs of trees, by their names; none for the index, of which a scan knows one.
#[derive(Default)]
pub(super) struct Graphs(Mutex<HashMap<Option<ObjectId>, Arc<Graph>>>);

impl Graphs {
    /// `judgement` of the file at `path` of `top` by itself, in the light of who imports it there.
    pub fn decide(
        &self,
        classifier: &Arc<Classifier>,
        (facts, top): (&TreeFacts<'_>, Top<'_>),
        path: &[u8],
        judgement: Judgement,
    ) -> Judgement {
        let Ok(path) = path.to_str() else { return judgement };
        self.of(top, classifier).decide(&facts.view(top), path, judgement)
    }

    /// Whether a module that the one at `path` of `top` imports holds one of `texts`.
    pub fn imports_hold(
        &self,
        classifier: &Arc<Classifier>,
        (facts, top): (&TreeFacts<'_>, Top<'_>),
        path: &[u8],
        texts: &[String],
    ) -> bool {
        let Ok(path) = path.to_str() else { return false };
        self.of(top, classifier).imports_hold(&facts.view(top), path, texts)
    }

    fn of(&self, top: Top<'_>, classifier: &Arc<Classifier>) -> Arc<Graph> {
        let tree = match top {
            Top::Tree(tree) => Some(tree),
            Top::Index(_) => None,
        };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= TREES_MAX && !known.contains_key(&tree) {
            known.clear();
        }
        Arc::clone(known.entry(tree).or_insert_with(|| Arc::new(Graph::new(Arc::clone(classifier)))))
    }
}
