//! The colours and fonts, in light and in dark.

use std::fmt::Write as _;

/// What does not depend on the light.
const FIXED: &str = "\
.topo text{font-family:ui-monospace,'DejaVu Sans Mono','Liberation Mono',Menlo,Consolas,monospace;font-size:12px;white-space:pre}
.topo .name,.topo .title{font-family:system-ui,'DejaVu Sans','Liberation Sans',sans-serif;font-weight:600}
.topo .name{font-size:14px}
.topo .title{font-size:18px}
.topo .port{font-weight:600}
.topo .halo{paint-order:stroke;stroke-width:4px;stroke-linejoin:round}
.topo .wire path,.topo .stub{fill:none;stroke-width:1.6px}
.topo .tunnel path{stroke-dasharray:7 5}
.topo .lower path{stroke-dasharray:2 4;stroke-linecap:round}
.topo .wire.added path,.topo .wire.changed path,.topo .wire.removed path{stroke-width:2.4px}
.topo .box,.topo .plate,.topo .dot{stroke-width:1.3px}
.topo .box.host{stroke-width:2px}
.topo .box.existing{stroke-dasharray:5 4}
.topo .node.added .box,.topo .node.changed .box,.topo .node.removed .box{stroke-width:2px}
.topo.change .node.same,.topo.change .wire.same{opacity:.4}
.topo.change .node:not(.same) text.same,.topo.change .node:not(.same) .stub.same{opacity:.6}
";

/// A selector, a property, and its value in light and in dark. Later ones go before earlier ones.
const COLOURS: &[(&str, &str, &str, &str)] = &[
    (".paper", "fill", "#ffffff", "#0d1117"),
    ("text", "fill", "#1f2937", "#e6edf3"),
    (".dim", "fill", "#64748b", "#94a3b8"),
    (".impaired", "fill", "#9a3412", "#fdba74"),
    (".box", "fill", "#f8fafc", "#161b22"),
    (".box", "stroke", "#94a3b8", "#4b5563"),
    (".box.host", "fill", "#eff6ff", "#0f1d33"),
    (".box.host", "stroke", "#3b82f6", "#3b82f6"),
    (".box.existing", "stroke", "#78716c", "#a8a29e"),
    (".box.cloud", "fill", "#f5f3ff", "#1e1833"),
    (".box.cloud", "stroke", "#a78bfa", "#7c6fd6"),
    (".band.bridge", "fill", "#e6f6f4", "#10282a"),
    (".band.bond", "fill", "#fdf3e3", "#2a2113"),
    (".band.vrf", "fill", "#f1eefc", "#211c38"),
    (".bar.bridge", "fill", "#0d9488", "#2dd4bf"),
    (".bar.bond", "fill", "#b45309", "#f59e0b"),
    (".halo", "stroke", "#ffffff", "#0d1117"),
    (".wire path", "stroke", "#475569", "#94a3b8"),
    (".stub", "stroke", "#94a3b8", "#64748b"),
    (".tunnel path", "stroke", "#7c3aed", "#a78bfa"),
    (".lower path", "stroke", "#0369a1", "#38bdf8"),
    (".dot", "fill", "#475569", "#94a3b8"),
    (".dot", "stroke", "#ffffff", "#0d1117"),
    (".dot.foreign", "fill", "#ffffff", "#0d1117"),
    (".dot.foreign", "stroke", "#475569", "#94a3b8"),
    (".plate", "fill", "#fff7ed", "#2b1a0e"),
    (".plate", "stroke", "#fdba74", "#9a3412"),
];

/// A mark, and its colour in light and in dark.
const MARKS: [(&str, &str, &str); 3] =
    [("added", "#15803d", "#4ade80"), ("changed", "#b45309", "#fbbf24"), ("removed", "#b91c1c", "#f87171")];

/// The style sheet.
pub fn css() -> String {
    let mut css = FIXED.to_owned();
    css.push_str(&rules(false));
    let _ = write!(css, "@media (prefers-color-scheme:dark){{\n{}}}\n", rules(true));
    css
}

fn rules(dark: bool) -> String {
    let mut rules = String::new();
    for (selector, property, by_day, by_night) in COLOURS {
        let _ = writeln!(rules, ".topo {selector}{{{property}:{}}}", if dark { by_night } else { by_day });
    }
    for (mark, by_day, by_night) in MARKS {
        let colour = if dark { by_night } else { by_day };
        let _ = writeln!(
            rules,
            ".topo text.{mark},.topo .bar.{mark},.topo .dot.{mark}{{fill:{colour}}}\n.topo .wire.{mark} path,.topo .stub.{mark},.topo .node.{mark} .box,.topo .plate.{mark}{{stroke:{colour}}}"
        );
    }
    rules
}
