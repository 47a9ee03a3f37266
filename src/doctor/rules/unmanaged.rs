//! Patterns of names in the configuration of daemons.

/// Whether a list of NetworkManager's (`interface-name:lab*;mac:…`) covers an interface of that name. Of what excepts
/// it (`except:`) one is enough.
pub(super) fn covers(list: &str, name: &str) -> bool {
    let items = || list.split([';', ',']).map(str::trim).filter(|item| !item.is_empty());
    let fits = |item: &str| {
        let pattern = item.strip_prefix("interface-name:").unwrap_or(item);
        item == "*" || glob(pattern.trim_start_matches('='), name)
    };
    items().any(|item| !item.starts_with("except:") && fits(item))
        && !items().filter_map(|item| item.strip_prefix("except:")).any(fits)
}

/// Whether a pattern with `*` and `?` fits a name.
pub(super) fn glob(pattern: &str, name: &str) -> bool {
    match (pattern.chars().next(), name.chars().next()) {
        (None, None) => true,
        (Some('*'), _) => {
            let rest = pattern.get(1..).unwrap_or_default();
            let starts = name.char_indices().map(|(at, _)| at).chain([name.len()]);
            // Stars in a row are one.
            rest.starts_with('*') && glob(rest, name)
                || !rest.starts_with('*') && starts.into_iter().any(|at| glob(rest, name.get(at..).unwrap_or_default()))
        }
        (Some(wanted), Some(there)) if wanted == '?' || wanted == there => {
            glob(pattern.get(wanted.len_utf8()..).unwrap_or_default(), name.get(there.len_utf8()..).unwrap_or_default())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit() {
        assert!(glob("lab*", "lab0") && glob("*", "x") && glob("l?b0", "lab0") && glob("a**b", "ab"));
        assert!(!glob("lab", "lab0") && !glob("?", "") && !glob("en*", "lab0"));
        assert!(covers("interface-name:lab*;interface-name:red0", "red0") && covers("*", "x"));
        assert!(!covers("interface-name:lab*;except:interface-name:lab1", "lab1") && !covers("mac:00:11", "lab0"));
    }
}
