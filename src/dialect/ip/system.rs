//! Namespaces, settings, nft rules and files in the words of `ip netns`, `sysctl`, `nft` and the shell.

use super::words::Words;
use crate::dialect::nft_script;
use crate::resource::mark::mark;
use crate::resource::{Family, File, Insert, Namespace, NodeTenure, Sysctl, Table, TableRule, quote};

impl Words {
    pub(super) fn create_namespace(&self, namespace: &Namespace) -> Vec<String> {
        if namespace.tenure != NodeTenure::Created {
            return Vec::new();
        }
        if namespace.whole {
            return vec![format!("# namespace {} has its name again", quote(namespace.node.as_str()))];
        }
        let mut lines = vec![format!("ip netns add {}", quote(namespace.node.as_str()))];
        lines.extend(self.mark_namespace(namespace));
        lines
    }

    pub(super) fn mark_namespace(&self, namespace: &Namespace) -> Vec<String> {
        let alias = self.alias().filter(|_| namespace.marked).or_else(|| namespace.alias.clone());
        alias
            .map(|alias| format!("{} link set lo alias {}", self.ip(&namespace.node), quote(&alias)))
            .into_iter()
            .collect()
    }

    pub(super) fn delete_namespace(&self, namespace: &Namespace) -> Vec<String> {
        if namespace.tenure != NodeTenure::Created {
            return Vec::new();
        }
        vec![format!("ip netns delete {}", quote(namespace.node.as_str()))]
    }

    pub(super) fn write_sysctl(&self, sysctl: &Sysctl) -> String {
        // `sysctl` takes the separator that it meets first for the separator: with dots inside a name it has to be the
        // slash.
        let key = if sysctl.key.contains('.') { sysctl.key.clone() } else { sysctl.key.replace('/', ".") };
        format!("{}sysctl -w {}", self.inside(&sysctl.node), quote(&format!("{key}={}", sysctl.value)))
    }

    pub(super) fn write_table(&self, table: &Table) -> String {
        let mut script = nft_script::script(table, nft_script::Start::Over);
        if self.topology.is_none() {
            let comment = nft_script::comment(&table.topology);
            script = script.replace(&format!(" {{{comment}; }}"), "").replace(&comment, "");
        }
        format!("{}nft -f - <<'EOF'\n{script}EOF", self.inside(&table.node))
    }

    /// Puts a table in the place of others, or those back in its place.
    pub(super) fn exchange_tables(&self, before: &Table, after: &Table) -> Vec<String> {
        let inside = self.inside(&after.node);
        let back = after.instead_of.iter().filter(|table| !before.instead_of.contains(table));
        let back = back.map(|table| {
            let program = match (table.name.iptables, table.name.family.as_str()) {
                (false, _) => "nft -f -",
                (true, "ip6") => "ip6tables-nft-restore -n",
                (true, _) => "iptables-nft-restore -n",
            };
            format!("{inside}{program} <<'EOF'\n{}\nEOF", table.text.trim_end())
        });
        let mut lines: Vec<String> = back.collect();
        if after.chains.is_empty() {
            lines.push(self.delete_table(after));
            return lines;
        }
        let gone = before.instead_of.iter().filter(|table| !after.instead_of.contains(table));
        let gone: String =
            gone.map(|table| format!("delete table {} {}\n", table.name.family, table.name.name)).collect();
        let script = self.write_table(after);
        lines.push(script.strip_suffix("EOF").map_or(script.clone(), |script| format!("{script}{gone}EOF")));
        lines
    }

    pub(super) fn delete_table(&self, table: &Table) -> String {
        format!("{}nft delete table inet {}", self.inside(&table.node), quote(&format!("topo-{}", table.topology)))
    }

    /// Each rule goes to the head, so the last one is put in first.
    pub(super) fn insert_rules(&self, insert: &Insert) -> Vec<String> {
        if !insert.present {
            return Vec::new();
        }
        insert.rules.iter().rev().flat_map(|rule| self.insert_rule(insert, rule)).collect()
    }

    fn insert_rule(&self, insert: &Insert, rule: &TableRule) -> Vec<String> {
        let inside = self.inside(&insert.node);
        let Some(typed) = rule.typed().filter(|_| nft_script::is_iptables(&insert.chain)) else {
            let rule = format!("{}{}", rule.in_family(&insert.chain.family), nft_script::comment(&insert.topology));
            return vec![format!("{inside}nft insert rule {} {}", insert.chain, quote(&rule))];
        };
        let (program, family) =
            if insert.chain.family == "ip6" { ("ip6tables-nft", Family::V6) } else { ("iptables-nft", Family::V4) };
        let rules = nft_script::iptables_args(typed, family, &insert.topology).unwrap_or_default();
        let line = |args: &Vec<String>| {
            let args = args.iter().map(|arg| quote(arg)).collect::<Vec<_>>().join(" ");
            format!("{inside}{program} -t {} -I {} {args}", quote(&insert.chain.table), quote(&insert.chain.chain))
        };
        rules.iter().rev().map(line).collect()
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
        let folder = quote(&format!("/etc/netns/{}", file.node.as_str()));
        let path = quote(&format!("/etc/netns/{}/{}", file.node.as_str(), file.name));
        let end = if file.content.ends_with('\n') { "" } else { "\n" };
        format!("mkdir -p {folder} && cat > {path} <<'EOF'\n{}{end}EOF", file.content)
    }

    pub(super) fn delete_file(&self, file: &File) -> String {
        let folder = quote(&format!("/etc/netns/{}", file.node.as_str()));
        let path = quote(&format!("/etc/netns/{}/{}", file.node.as_str(), file.name));
        format!("rm {path} && rmdir --ignore-fail-on-non-empty {folder}")
    }
}
