//! What an open must refuse, and the depths it must reach.

use std::fs;
use std::path::Path;

use super::*;

fn fifo(path: &Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn special_files_and_links_are_refused() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path();
    fs::create_dir(path.join("d")).unwrap();
    fs::write(path.join("d/f"), "text").unwrap();
    fifo(&path.join("p"));
    let _socket = std::os::unix::net::UnixListener::bind(path.join("s")).unwrap();
    std::os::unix::fs::symlink("d", path.join("l")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", path.join("z")).unwrap();
    let root = Root::open(path).unwrap();
    for open in [Root::file, Root::regular] {
        let open = |name: &str| open(&root, Path::new(name));
        assert_eq!(open("d/f").unwrap().bytes, 4);
        assert!(matches!(open("d/none"), Err(OpenError::NotFound)));
        assert!(matches!(open("d/f/x"), Err(OpenError::NotFound)));
        assert!(matches!(open("d"), Err(OpenError::NotRegular(Node::Folder))));
        assert!(matches!(open("p"), Err(OpenError::NotRegular(Node::Fifo))));
        assert!(matches!(open("s"), Err(OpenError::NotRegular(Node::Socket))));
        assert!(matches!(open("l/f"), Err(OpenError::Link)));
        assert!(matches!(open("z"), Err(OpenError::Link)));
        assert!(matches!(open("../x"), Err(OpenError::Link)));
        assert!(matches!(open("/etc/passwd"), Err(OpenError::Link)));
    }
    let device = Root::open(Path::new("/dev")).unwrap();
    assert!(matches!(device.file(Path::new("null")), Err(OpenError::NotRegular(Node::Device))));
    assert!(matches!(root.folder(Path::new("l")), Err(OpenError::Link)));
    assert_eq!(root.folder(Path::new("d")).unwrap().entries(9).unwrap()[0].name, b"f");
    assert_eq!(root.entries(3).unwrap().len(), 3);
}

#[test]
fn reads_are_bounded() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("f"), "12345").unwrap();
    let root = Root::open(home.path()).unwrap();
    let read = |name, most| root.read_bounded(Path::new(name), most);
    assert_eq!(read("f", 5).unwrap().unwrap(), b"12345");
    assert!(matches!(read("f", 4), Err(OpenError::TooLarge)));
    assert!(read("g", 4).unwrap().is_none());
}

#[test]
fn paths_longer_than_the_kernel_takes_are_opened() {
    let home = tempfile::tempdir().unwrap();
    let name = "n".repeat(200);
    let none = rustix::fs::Mode::empty();
    let mut folder = rustix::fs::open(home.path(), rustix::fs::OFlags::DIRECTORY, none).unwrap();
    for _ in 0..60 {
        rustix::fs::mkdirat(&folder, &name, rustix::fs::Mode::RWXU).unwrap();
        folder = rustix::fs::openat(&folder, &name, rustix::fs::OFlags::DIRECTORY, none).unwrap();
    }
    let create = rustix::fs::OFlags::CREATE | rustix::fs::OFlags::WRONLY;
    drop(rustix::fs::openat(&folder, "f", create, rustix::fs::Mode::RWXU).unwrap());
    let root = Root::open(home.path()).unwrap();
    let deep = vec![name; 60].join("/");
    assert!(deep.len() > 2 * 4096);
    assert_eq!(root.folder(Path::new(&deep)).unwrap().entries(9).unwrap().len(), 1);
    let file = format!("{deep}/f");
    assert_eq!(root.regular(Path::new(&file)).unwrap().bytes, 0);
    assert_eq!(root.file(Path::new(&file)).unwrap().bytes, 0);
    assert!(matches!(root.regular(Path::new(&format!("{deep}/g"))), Err(OpenError::NotFound)));
}
