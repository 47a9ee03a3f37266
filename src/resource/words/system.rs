//! Namespaces, settings, nft rules and files in the words of `ip netns`, `sysctl`, `nft` and the shell.

use super::{Words, quote};
use crate::resource::{Chain, File, Insert, Name, Namespace, NodeTenure, Sysctl, Table, TableRule, mark};

impl Words {
    pub(super) fn create_namespace(&self, namespace: &Namespace) -> Vec<String> {
        if namespace.tenure != NodeTenure::Created {
            return Vec::new();
        }
        let mut lines = vec![format!("ip netns add {}", quote(namespace.node.as_str()))];
        lines.extend(self.mark_namespace(namespace));
        lines
    }

    pub(super) fn mark_namespace(&self, namespace: &Namespace) -> Vec<String> {
        let alias = self.alias().filter(|_| namespace.marked);
        alias.map(|alias| format!("{} link set lo alias {}", self.ip(&namespace.node), quote(&alias))).into_iter().collect()
    }

    pub(super) fn delete_namespace(&self, namespace: &Namespace) -> Vec<String> {
        if namespace.tenure != NodeTenure::Created {
            return Vec::new();
        }
        vec![format!("ip netns delete {}", quote(namespace.node.as_str()))]
    }

    pub(super) fn write_sysctl(&self, sysctl: &Sysctl) -> String {
        // `sysctl` takes the separator that it meets first for the separator: with dots inside a name it has to be the slash.
        let key = if sysctl.key.contains('.') { sysctl.key.clone() } else { sysctl.key.replace('/', ".") };
        format!("{}sysctl -w {}", self.inside(&sysctl.node), quote(&format!("{key}={}", sysctl.value)))
    }

    pub(super) fn write_table(&self, table: &Table) -> String {
        let name = quote(&format!("topo-{}", table.topology));
        let mut lines = vec![format!("{}nft -f - <<'EOF'", self.inside(&table.node))];
        lines.push(format!("add table inet {name}"));
        lines.push(format!("delete table inet {name}"));
        lines.push(format!("table inet {name} {{"));
        for chain in &table.chains {
            lines.extend(chain_lines(chain, &table.topology));
        }
        lines.push("}".to_owned());
        lines.push("EOF".to_owned());
        lines.join("\n")
    }

    pub(super) fn delete_table(&self, table: &Table) -> String {
        format!("{}nft delete table inet {}", self.inside(&table.node), quote(&format!("topo-{}", table.topology)))
    }

    /// Each rule goes to the head, so the last one is put in first.
    pub(super) fn insert_rules(&self, insert: &Insert) -> Vec<String> {
        if !insert.present {
            return Vec::new();
        }
        let rules = insert.rules.iter().rev().map(|rule| rule_text(rule, &insert.topology));
        rules.map(|rule| format!("{}nft insert rule {} {}", self.inside(&insert.node), insert.chain, quote(&rule))).collect()
    }

    /// nft deletes rules by handle only, and a handle is not known before it is looked up.
    pub(super) fn delete_rules(&self, insert: &Insert) -> Vec<String> {
        if insert.rules.is_empty() {
            return Vec::new();
        }
        let inside = self.inside(&insert.node);
        let mark = mark(&insert.topology);
        let chain = &insert.chain;
        vec![format!(
            "{inside}nft -a list chain {chain} | sed -n 's/.*comment \"{mark}\".* # handle //p' | while read -r handle; do {inside}nft delete rule {chain} handle \"$handle\"; done"
        )]
    }

    pub(super) fn write_file(&self, file: &File) -> String {
        let folder = quote(&format!("/etc/netns/{}", file.node));
        let path = quote(&format!("/etc/netns/{}/{}", file.node, file.name));
        let end = if file.content.ends_with('\n') { "" } else { "\n" };
        format!("mkdir -p {folder} && cat > {path} <<'EOF'\n{}{end}EOF", file.content)
    }

    pub(super) fn delete_file(&self, file: &File) -> String {
        let folder = quote(&format!("/etc/netns/{}", file.node));
        let path = quote(&format!("/etc/netns/{}/{}", file.node, file.name));
        format!("rm {path} && rmdir --ignore-fail-on-non-empty {folder}")
    }
}

fn chain_lines(chain: &Chain, topology: &Name) -> Vec<String> {
    let policy = if chain.drop { "drop" } else { "accept" };
    let mut lines = vec![format!("  chain {} {{", chain.name)];
    lines.push(format!("    type {} hook {} priority {}; policy {policy};", chain.kind, chain.hook, chain.priority));
    lines.extend(chain.rules.iter().map(|rule| format!("    {}", rule_text(rule, topology))));
    lines.push("  }".to_owned());
    lines
}

/// A rule with the comment that marks it. A raw rule may not carry one of its own, so it gets it too.
fn rule_text(rule: &TableRule, topology: &Name) -> String {
    format!("{} comment \"{}\"", rule.text(topology), mark(topology))
}
