use super::*;
use crate::resource::{Chain, Node, Resource, ResourceId, Sysctl, Table, TableRecord, TableRule};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

fn records(name: &str) -> Records {
    let dir = std::env::temp_dir().join(format!("topo-record-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    let _ = std::fs::remove_file(&dir);
    Records::at(dir)
}

fn sample() -> Record {
    let mut record = Record { host_cookie: 7, running: true, ..Record::default() };
    record.namespaces.insert("RED".into(), 12);
    record.prior.push(Resource::Sysctl(Sysctl::new(Node::host(), "net/ipv4/ip_forward", "0")));
    record.owned.insert(ResourceId::Sysctl(Node::host(), "net/ipv4/ip_forward".to_owned()));
    let rules = vec![TableRule::Raw("accept".to_owned())];
    let chain = Chain {
        name: "forward".to_owned(),
        kind: "filter".to_owned(),
        hook: "forward".to_owned(),
        priority: 0,
        drop: true,
        rules,
    };
    let table = Table { node: "RED".into(), topology: "lab".into(), chains: vec![chain], instead_of: Vec::new() };
    record.tables.insert("RED".into(), TableRecord { generation: 3, table });
    record
}

#[test]
fn what_is_written_is_read_and_removed_without_a_trace() {
    let records = records("round");
    let (lab, other) = (Name::from("lab"), Name::from("other"));
    assert_eq!(records.load(&lab).unwrap(), Loaded::default());
    assert!(records.names().unwrap().is_empty());
    records.save(&lab, &sample()).unwrap();
    records.save(&other, &Record::default()).unwrap();
    assert_eq!(records.load(&lab).unwrap().record, Some(sample()));
    assert_eq!(records.names().unwrap(), [lab.clone(), other.clone()]);
    let mode = |path: &str| records.dir.join(path).metadata().unwrap().mode() & 0o7777;
    assert_eq!((mode("."), mode("lab"), mode("lab/record.json")), (0o700, 0o700, 0o600));
    records.remove(&lab).unwrap();
    records.remove(&lab).unwrap();
    assert_eq!(records.names().unwrap(), std::slice::from_ref(&other));
    records.remove(&other).unwrap();
    assert!(!records.dir.exists());
}

#[test]
fn a_torn_record_is_a_warning_at_every_length() {
    let records = records("torn");
    let lab = Name::from("lab");
    records.save(&lab, &sample()).unwrap();
    let path = records.dir.join("lab/record.json");
    let text = std::fs::read(&path).unwrap();
    for cut in 0..text.len() {
        std::fs::write(&path, &text[..cut]).unwrap();
        let loaded = records.load(&lab).unwrap();
        assert!(loaded.record.is_none() && loaded.warning.is_some(), "{cut}");
    }
    std::fs::write(&path, "{\"version\":99,\"record\":{}}").unwrap();
    assert_eq!(records.load(&lab).unwrap_err().kind, ErrorKind::File);
    // A run that was killed while it wrote is no hindrance.
    std::fs::write(records.dir.join("lab/.record.json.new"), "x").unwrap();
    records.save(&lab, &sample()).unwrap();
    assert_eq!(records.load(&lab).unwrap().record, Some(sample()));
    records.remove(&lab).unwrap();
}

#[test]
fn what_others_could_have_written_is_refused() {
    let records = records("foreign");
    let lab = Name::from("lab");
    records.save(&lab, &sample()).unwrap();
    let path = records.dir.join("lab/record.json");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o666)).unwrap();
    assert_eq!(records.load(&lab).unwrap_err().kind, ErrorKind::Taken);
    std::fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", &path).unwrap();
    assert!(records.load(&lab).is_err());
    std::fs::remove_file(&path).unwrap();
    std::fs::remove_dir(records.dir.join("lab")).unwrap();
    std::os::unix::fs::symlink("/etc", records.dir.join("lab")).unwrap();
    for error in
        [records.load(&lab).unwrap_err(), records.save(&lab, &sample()).unwrap_err(), records.remove(&lab).unwrap_err()]
    {
        assert_eq!(error.kind, ErrorKind::Taken);
    }
    assert!(records.names().unwrap().is_empty());
    std::fs::remove_dir_all(&records.dir).unwrap();
    std::fs::create_dir(&records.dir).unwrap();
    std::fs::set_permissions(&records.dir, PermissionsExt::from_mode(0o777)).unwrap();
    assert_eq!(records.save(&lab, &sample()).unwrap_err().kind, ErrorKind::Taken);
    std::fs::remove_dir_all(&records.dir).unwrap();
}

#[test]
fn names_cannot_leave_the_folder() {
    let records = records("names");
    for bad in ["..", ".", "", "../x", "a/b", ".lock", "a\0b", &"x".repeat(33)] {
        assert!(records.load(&Name::from(bad)).is_err(), "{bad}");
        assert!(records.save(&Name::from(bad), &sample()).is_err(), "{bad}");
        assert!(records.remove(&Name::from(bad)).is_err(), "{bad}");
    }
    assert!(!records.dir.exists());
}

#[test]
fn what_is_beside_the_record_is_as_safe_and_goes_with_it() {
    let records = records("beside");
    let lab = Name::from("lab");
    let name = crate::linux::store::names::name;
    assert_eq!(records.read::<Vec<u64>>(&lab, "confirm.json").unwrap(), None);
    assert!(
        !records.delete(&lab, "confirm.json").unwrap()
            && !records.rename(&lab, "confirm.json", "rollback.json").unwrap()
    );
    records.save(&lab, &sample()).unwrap();
    for number in [9, 10, 2] {
        records.write(&lab, &name(number), &vec![number]).unwrap();
    }
    assert_eq!(records.applies(&lab).unwrap(), [2, 9, 10]);
    assert_eq!(records.read::<Vec<u64>>(&lab, &name(9)).unwrap(), Some(vec![9]));
    let path = records.dir.join("lab").join(name(9));
    assert_eq!(path.metadata().unwrap().mode() & 0o7777, 0o600);
    let text = std::fs::read(&path).unwrap();
    for cut in 0..text.len() {
        std::fs::write(&path, &text[..cut]).unwrap();
        assert_eq!(records.read::<Vec<u64>>(&lab, &name(9)).unwrap_err().kind, ErrorKind::File, "{cut}");
    }
    std::fs::write(&path, "{\"version\":2,\"content\":[9]}").unwrap();
    assert!(records.read::<Vec<u64>>(&lab, &name(9)).unwrap_err().reason.contains("format 2"));
    std::fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", &path).unwrap();
    assert!(records.read::<Vec<u64>>(&lab, &name(9)).is_err());
    // What waits for confirmation stays until that is settled; all else goes with the record.
    records.write(&lab, "confirm.json", &vec![1]).unwrap();
    records.remove(&lab).unwrap();
    assert!(records.applies(&lab).unwrap().is_empty() && records.has(&lab, "confirm.json").unwrap());
    assert!(records.rename(&lab, "confirm.json", "rollback.json").unwrap());
    assert!(!records.rename(&lab, "confirm.json", "rollback.json").unwrap());
    assert!(records.delete(&lab, "rollback.json").unwrap());
    assert!(!records.dir.exists());
}
