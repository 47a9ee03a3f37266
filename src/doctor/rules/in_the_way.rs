//! What a plan cannot get past: a name that is taken, something that has to be there and is not.

use crate::doctor::code::{Code, Severity};
use crate::doctor::examined::Examined;
use crate::doctor::finding::Finding;

pub(super) fn find(examined: &Examined<'_>) -> Vec<Finding> {
    let of = |obstacle: &crate::doctor::examined::Obstacle| {
        let why = obstacle.help.clone().unwrap_or_else(|| "An apply refuses to go on.".to_owned());
        Finding::new(Code::InTheWay, Severity::Error, obstacle.what.clone(), why).about(obstacle.id.clone())
    };
    examined.obstacles.iter().map(of).collect()
}
