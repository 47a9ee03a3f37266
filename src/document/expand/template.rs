//! Text with formulas in it.

use super::formula::{Fault, Formula, Value};
use std::borrow::Cow;

/// A text that was filled in.
pub struct Filled<'t> {
    /// What it became.
    pub text: Cow<'t, str>,
    /// Whether a formula was in it.
    pub formed: bool,
}

/// What is wrong, and where in the text.
pub struct Wrong {
    /// In bytes.
    pub at: usize,
    /// How long the faulty part is, in bytes.
    pub length: usize,
    /// What.
    pub fault: Fault,
}

/// Fills in the formulas of `text`, which may become `most` bytes long. Where braces have a meaning of their own
/// (`free`), those that hold no formula stay.
///
/// # Errors
///
/// What is wrong with a formula, and where.
pub fn fill<'t>(text: &'t str, values: &[Value<'_>], free: bool, most: usize) -> Result<Filled<'t>, Wrong> {
    if !text.contains(['{', '}']) {
        return Ok(Filled { text: Cow::Borrowed(text), formed: false });
    }
    let (mut out, mut formed, mut at) = (String::with_capacity(text.len()), false, 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(brace) = rest.find(['{', '}']) else {
            out.push_str(rest);
            break;
        };
        let (before, rest) = rest.split_at(brace);
        out.push_str(before);
        at += brace;
        let inner = |rest: &'t str| rest.split_once('}').and_then(|(inner, _)| Some((inner, Formula::parse(inner)?)));
        if let Some((inner, formula)) = rest.strip_prefix('{').and_then(inner) {
            let length = inner.len() + 2;
            let value = formula.calculate(values).map_err(|fault| Wrong { at, length, fault })?;
            out.push_str(&value);
            formed = true;
            at += length;
            if out.len() > most {
                return Err(too_long(at - length, length));
            }
        } else if let Some((inner, _)) = rest.strip_prefix("{{").filter(|_| free).and_then(inner) {
            // `{{n}}` is `{n}` where other braces stay as they are.
            out.push_str(&format!("{{{inner}}}"));
            at += inner.len() + 3 + usize::from(rest.get(inner.len() + 3..).is_some_and(|rest| rest.starts_with('}')));
        } else if free {
            out.push_str(rest.get(..1).unwrap_or_default());
            at += 1;
        } else if let Some(double) = ["{{", "}}"].iter().find(|double| rest.starts_with(**double)) {
            out.push_str(double.get(..1).unwrap_or_default());
            at += 2;
        } else {
            let fault = Fault {
                message: "a brace below a range holds a formula, and this is none".to_owned(),
                help: "write {n}, {n+10}, {n1*8+n2} or {n:02}; for a plain brace write it twice".to_owned(),
            };
            return Err(Wrong { at, length: 1, fault });
        }
    }
    Ok(Filled { text: Cow::Owned(out), formed })
}

fn too_long(at: usize, length: usize) -> Wrong {
    let message = "what the formulas of this file make is too long to go on with".to_owned();
    Wrong { at, length, fault: Fault { message, help: "shorten the text or the range".to_owned() } }
}
