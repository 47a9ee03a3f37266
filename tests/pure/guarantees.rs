//! The page of guarantees names tests; each of them has to be there.

use std::path::Path;

#[test]
fn every_test_that_the_page_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/guarantees.md")).unwrap();
    let named: Vec<&str> = page.split('`').filter(|word| word.starts_with("tests/")).collect();
    for name in &named {
        assert!(root.join(name).exists(), "docs/guarantees.md names {name}, which is not there");
    }
    assert!(named.len() > 10, "the page names only {} tests", named.len());
    // No guarantee without a test.
    let rows = page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| what holds") && !line.starts_with("| ---"));
    rows.for_each(|row| assert!(row.contains("`tests/"), "no test holds this: {row}"));
    assert!(
        std::fs::read_to_string(root.join("README.md")).unwrap().contains("docs/guarantees.md"),
        "README.md does not lead to the page"
    );
}
