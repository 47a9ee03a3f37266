use super::*;
use crate::linux::netns::jobs::{Place, Work, run, run_one};

#[test]
fn jobs_answer_in_order_and_see_what_they_borrow() {
    let words = ["a", "b", "c", "d"];
    let jobs = words
        .iter()
        .map(|word| (Place::Anywhere, Box::new(move || word.len() + usize::from(*word == "c")) as Work<'_, usize>))
        .collect();
    let answers: Vec<usize> = run(2, jobs).into_iter().map(Result::unwrap).collect();
    assert_eq!(answers, [1, 1, 2, 1]);
}

#[test]
fn a_job_in_a_namespace_that_is_not_there_is_an_error() {
    let place = Place::At(NetnsRef::Path("/nonexistent/namespace".into()));
    let error = run_one(place, || ()).unwrap_err();
    assert_eq!(error.errno, Some(libc::ENOENT));
}

#[test]
fn a_plain_file_is_not_a_namespace() {
    let error = Netns::open(&NetnsRef::Path("/proc/self/status".into())).unwrap_err();
    assert_eq!(error.reason, "it is not a network namespace");
}

#[test]
fn the_cookie_of_a_thread_is_its_own() {
    assert_eq!(run_one(Place::Inside(Netns::current().unwrap()), cookie).unwrap(), cookie());
}
