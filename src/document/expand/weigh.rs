//! How much a file becomes, counted before anything of it is made: a range of a billion costs nothing.

use super::range::{Numbers, Pattern};
use super::words::Context;
use crate::document::Finding;
use crate::document::yaml::limits::{MAX_EXPANDED, MAX_MADE};
use crate::document::yaml::tree::{Data, Yaml};

/// How much there is.
#[derive(Clone, Copy, Debug, Default)]
struct Weight {
    /// Keys and items that ranges make.
    made: u64,
    /// Values.
    values: u64,
}

impl Weight {
    fn add(&mut self, other: Self) {
        self.made = self.made.saturating_add(other.made);
        self.values = self.values.saturating_add(other.values);
    }

    /// So many rounds of it.
    fn times(self, rounds: u64) -> Self {
        Self { made: rounds.saturating_mul(self.made.saturating_add(1)), values: rounds.saturating_mul(self.values) }
    }
}

/// Why a file becomes too much, if it does.
pub fn too_much(root: &Yaml<'_>) -> Option<Finding> {
    weigh(root, Context::Plain).err().map(|finding| *finding)
}

type Weighed = Result<Weight, Box<Finding>>;

fn weigh(yaml: &Yaml<'_>, context: Context) -> Weighed {
    let mut sum = Weight { made: 0, values: 1 };
    match yaml.data() {
        Data::Map(pairs) => {
            for (key, value) in pairs {
                let rounds = if context == Context::Free { 1 } else { count(key.text()) };
                let mut one = scalar(value, context.below(key.text()))?;
                one.values = one.values.saturating_add(1);
                sum.add(within(key, if rounds == 1 { one } else { one.times(rounds) }, sum)?);
            }
        }
        Data::List(items) => {
            for item in items {
                let rounds = item.get("each").filter(|_| context != Context::Free).map(each);
                let one = scalar(item, context)?;
                sum.add(within(item, rounds.map_or(one, |rounds| one.times(rounds)), sum)?);
            }
        }
        _ => {}
    }
    Ok(sum)
}

/// The weight of a value, which may be a name with ranges.
fn scalar(yaml: &Yaml<'_>, context: Context) -> Weighed {
    match yaml.data() {
        Data::Scalar(text, _) if context == Context::Names => {
            let rounds = count(text);
            let one = Weight { made: 0, values: 1 };
            within(yaml, if rounds == 1 { one } else { one.times(rounds) }, Weight::default())
        }
        Data::Scalar(..) => Ok(Weight { made: 0, values: 1 }),
        _ => weigh(yaml, context),
    }
}

/// What is faulty is one, and reported later.
fn count(name: &str) -> u64 {
    Pattern::parse(name).ok().flatten().map_or(1, |pattern| pattern.count())
}

fn each(yaml: &Yaml<'_>) -> u64 {
    match yaml.data() {
        Data::Scalar(text, _) => Numbers::parse(text).map_or(1, |numbers| numbers.count()),
        Data::List(items) => items.iter().fold(0_u64, |sum, item| sum.saturating_add(count(item.text()))),
        _ => 1,
    }
}

/// The weight, unless it is too much.
fn within(at: &Yaml<'_>, weight: Weight, before: Weight) -> Weighed {
    let mut all = before;
    all.add(weight);
    let what = if all.made > MAX_MADE {
        format!("ranges make more than {MAX_MADE} keys and items of lists")
    } else if all.values > MAX_EXPANDED {
        format!("the file has more than {MAX_EXPANDED} values when its ranges are written out")
    } else {
        return Ok(weight);
    };
    let finding = Finding::error("too-many-objects", at.place, what);
    Err(Box::new(finding.remark("here").help("shorten the range, or split the topology")))
}
