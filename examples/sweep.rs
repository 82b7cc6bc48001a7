use ansalint::detect::Detector;
use ansalint::rule::{RuleFiles, Rules};
use ansalint::source::history::*;
use ansalint::source::open::Root;
struct S(Detector);
impl Search for S {
    fn any(&self, b: &[u8]) -> bool {
        self.0.any(b)
    }
    fn reach(&self) -> usize {
        16
    }
    fn opens(&self, _: &[u8], _: u64) -> bool {
        false
    }
}
fn main() {
    let s = S(Detector::new(&Rules::load(&RuleFiles::embedded()).unwrap()).unwrap());
    for r in std::env::args().skip(1) {
        let t = std::time::Instant::now();
        let p = std::path::Path::new(&r).join("objects");
        let f = Files::open(Root::open(&p).unwrap(), gix_hash::Kind::Sha1);
        let st = Store::new(&f);
        let t1 = t.elapsed();
        let b = Bounds::new(f.bytes());
        let w = sweep(&st, &s, &b);
        println!(
            "{:?} tables, {:?} all; {} objects {} MB {} hits {} faults {} commits",
            t1,
            t.elapsed(),
            w.objects,
            w.bytes / 1000000,
            w.hits.len(),
            w.faults.len(),
            w.commits.iter(gix_hash::Kind::Sha1).count()
        );
        for f in w.faults.iter().take(3) {
            println!("{f:?}");
        }
    }
}
