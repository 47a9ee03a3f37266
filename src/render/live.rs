//! What nodes have learned and counted, as tables that fit into 80 columns.

use super::order::{cut, left, width};
use super::page::{BOLD, DIM, Page, escape};
use crate::resource::{Asked, Connection, Flow, LinkCounters, Live, LiveEntry, LiveNeighbor, LiveNode, Name, Traffic};
use std::net::IpAddr;

/// The tables take no more columns, unless a single value does.
const COLUMNS: usize = 80;

/// No name is cut to less.
const LEAST: usize = 5;

/// The tables of a topology, node by node.
pub fn text(topology: &Name, nodes: &[LiveNode], asked: Asked) -> String {
    let mut page = Page::new();
    page.paint(BOLD, topology.as_str()).end();
    let mut text = page.finish();
    for (node, live) in nodes {
        let tables = tables(live, asked);
        if tables.is_empty() {
            continue;
        }
        let mut page = Page::new();
        page.end().paint(BOLD, node.short()).end();
        text.push_str(&page.finish());
        text.push_str(&tables);
    }
    if nodes.iter().all(|(_, live)| tables(live, asked).is_empty()) {
        let mut page = Page::new();
        page.line("  nothing of this");
        text.push_str(&page.finish());
    }
    text
}

fn tables(live: &Live, asked: Asked) -> String {
    let mut tables = Vec::new();
    if asked.neighbors && !live.neighbors.is_empty() {
        tables.push(table(&["INTERFACE", "NEIGHBOR", "MAC", "STATE"], live.neighbors.iter().map(neighbor)));
    }
    if asked.fdb && !live.fdb.is_empty() {
        let vlans = live.fdb.iter().any(|entry| entry.vlan.is_some());
        let mut heads = vec!["INTERFACE", "MAC"];
        heads.extend(vlans.then_some("VLAN"));
        heads.extend(["BRIDGE OR END", "STATE"]);
        tables.push(table(&heads, live.fdb.iter().map(|it| entry(it, vlans))));
    }
    if asked.counters && !live.counters.is_empty() {
        let heads = ["INTERFACE", "", "PACKETS", "BYTES", "ERRORS", "DROPPED"];
        tables.push(table(&heads, live.counters.iter().flat_map(counters)));
    }
    match live.connections.as_deref() {
        None if asked.connections => {
            let mut page = Page::new();
            page.put("  ").paint(DIM, "this kernel does not show connections (CONFIG_NF_CT_NETLINK)").end();
            tables.push(page.finish());
        }
        Some(all) if !all.is_empty() => tables.push(connections(all)),
        _ => {}
    }
    tables.join("\n")
}

fn neighbor(it: &LiveNeighbor) -> Vec<String> {
    let router = if it.router { ", router" } else { "" };
    vec![
        it.interface.to_string(),
        it.address.to_string(),
        it.mac.map(|mac| mac.to_string()).unwrap_or_default(),
        format!("{}{router}", it.state),
    ]
}

fn entry(it: &LiveEntry, vlans: bool) -> Vec<String> {
    let mut cells = vec![it.interface.to_string(), it.mac.to_string()];
    cells.extend(vlans.then(|| it.vlan.map(|vlan| vlan.to_string()).unwrap_or_default()));
    let place = it.dst.map(|dst| dst.to_string()).or_else(|| it.master.as_ref().map(ToString::to_string));
    cells.extend([place.unwrap_or_default(), it.state.to_owned()]);
    cells
}

/// Two lines: what was received, and what was sent.
fn counters(it: &LinkCounters) -> [Vec<String>; 2] {
    let line = |name: String, direction: &str, Traffic { packets, bytes, errors, dropped }: Traffic| {
        let numbers = [packets, bytes, errors, dropped].map(|number| number.to_string());
        [name, direction.to_owned()].into_iter().chain(numbers).collect()
    };
    [line(it.interface.to_string(), "rx", it.rx), line(String::new(), "tx", it.tx)]
}

fn connections(all: &[Connection]) -> String {
    let heads = ["PROTOCOL", "STATE", "FROM", "TO", "EXPIRES"];
    let rows: Vec<Vec<String>> = all.iter().flat_map(rows).collect();
    if widths(&heads, &rows).iter().sum::<usize>() + heads.len() < COLUMNS {
        return table(&heads, rows.into_iter());
    }
    // Two addresses of IPv6 do not fit into a line.
    let mut page = Page::new();
    for row in &rows {
        let [protocol, state, from, to, expires] = row.as_slice() else { continue };
        if !protocol.is_empty() {
            let words = [protocol, state, expires].into_iter().filter(|word| !word.is_empty());
            page.put("  ").put(words.cloned().collect::<Vec<_>>().join(" ")).end();
        }
        page.put(if protocol.is_empty() { "    as " } else { "    " }).put(from).end();
        page.put("    -> ").put(to).end();
    }
    page.finish()
}

/// A connection, and beneath it what becomes of it by NAT.
fn rows(it: &Connection) -> Vec<Vec<String>> {
    let state = it.state.unwrap_or(if it.answered { "" } else { "unanswered" });
    let expires = it.expires.map(|seconds| format!("{seconds} s")).unwrap_or_default();
    let (from, to) = ends(it.original);
    let mut rows = vec![vec![it.protocol.clone(), state.to_owned(), from, to, expires]];
    if it.is_translated() {
        let (from, to) = ends(it.reply.back());
        rows.push(vec![String::new(), "as".to_owned(), from, to, String::new()]);
    }
    rows
}

fn ends(flow: Flow) -> (String, String) {
    let end = |address: IpAddr, port: Option<u16>| match (address, port) {
        (address, None) => address.to_string(),
        (IpAddr::V4(address), Some(port)) => format!("{address}:{port}"),
        (IpAddr::V6(address), Some(port)) => format!("[{address}]:{port}"),
    };
    (end(flow.source, flow.source_port), end(flow.destination, flow.destination_port))
}

fn widths(heads: &[&str], rows: &[Vec<String>]) -> Vec<usize> {
    let widest = |nth: usize| rows.iter().filter_map(|row| row.get(nth)).map(|cell| width(cell)).max().unwrap_or(0);
    heads.iter().enumerate().map(|(nth, head)| widest(nth).max(width(head))).collect()
}

/// Columns under their heads, numbers to the right. Where they are too wide for the terminal they stand closer, and the
/// names in the first are cut.
fn table(heads: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let rows: Vec<Vec<String>> = rows.map(|row| row.iter().map(|cell| escape(cell)).collect()).collect();
    let mut widths = widths(heads, &rows);
    let all = |widths: &[usize], gap: usize| 2 + widths.iter().sum::<usize>() + gap * widths.len().saturating_sub(1);
    let gap = if all(&widths, 2) > COLUMNS { 1 } else { 2 };
    let over = all(&widths, gap).saturating_sub(COLUMNS);
    if let Some(first) = widths.first_mut() {
        *first = first.saturating_sub(over).max(LEAST);
    }
    let right =
        |nth: usize| rows.iter().filter_map(|row| row.get(nth)).all(|cell| cell.bytes().all(|b| b.is_ascii_digit()));
    let numbers: Vec<bool> = heads.iter().enumerate().map(|(nth, head)| !head.is_empty() && right(nth)).collect();
    let line = |cells: &[&str]| {
        let cells = cells.iter().zip(&widths).zip(&numbers).map(|((cell, columns), number)| {
            let cell = cut(cell, *columns);
            if *number {
                format!("{}{cell}", " ".repeat(columns.saturating_sub(width(&cell))))
            } else {
                left(&cell, *columns)
            }
        });
        cells.collect::<Vec<_>>().join(&" ".repeat(gap)).trim_end().to_owned()
    };
    let mut page = Page::new();
    page.put("  ").paint(DIM, line(heads)).end();
    for row in &rows {
        page.put("  ").put(line(&row.iter().map(String::as_str).collect::<Vec<_>>())).end();
    }
    page.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Mac;

    const ALL: Asked = Asked { neighbors: true, fdb: true, counters: true, connections: true };

    fn fits(live: Live) -> String {
        let text = text(&"lab".into(), &[("서울".into(), live)], ALL);
        for line in text.lines() {
            let plain = anstream::adapter::strip_str(line).to_string();
            assert!(width(&plain) <= COLUMNS, "{} columns: {plain}", width(&plain));
        }
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn the_widest_values_fit_into_the_columns() {
        let long: IpAddr = "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff".parse().unwrap();
        let flow =
            |port| Flow { source: long, destination: long, source_port: Some(port), destination_port: Some(443) };
        let connection = Connection {
            protocol: "tcp".into(),
            state: Some("ESTABLISHED"),
            original: flow(65000),
            reply: flow(1).back(),
            expires: Some(431_999),
            mark: 0,
            answered: true,
        };
        let most = Traffic { packets: u64::MAX / 1000, bytes: u64::MAX, errors: 0, dropped: 12 };
        let shown = fits(Live {
            neighbors: vec![LiveNeighbor {
                interface: "인터페이스".into(),
                address: long,
                mac: Some(Mac([0xfe; 6])),
                state: "reachable",
                router: false,
            }],
            fdb: vec![LiveEntry {
                interface: "a-long-name-123".into(),
                mac: Mac([2; 6]),
                vlan: None,
                master: None,
                dst: Some(long),
                state: "permanent",
            }],
            counters: vec![LinkCounters { interface: "eth0".into(), rx: most, tx: Traffic::default() }],
            connections: Some(vec![connection]),
        });
        for part in ["reachable", "permanent", "as [2001", "-> [2001", "18446744073709551615"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }

    #[test]
    fn nat_is_a_line_beneath() {
        let flow = |source: [u8; 4], source_port, destination: [u8; 4]| Flow {
            source: source.into(),
            destination: destination.into(),
            source_port: Some(source_port),
            destination_port: Some(80),
        };
        let connection = Connection {
            protocol: "udp".into(),
            state: None,
            original: flow([10, 0, 0, 2], 4000, [192, 0, 2, 7]),
            reply: flow([192, 0, 2, 1], 1024, [192, 0, 2, 7]).back(),
            expires: Some(29),
            mark: 0,
            answered: false,
        };
        let shown = fits(Live { connections: Some(vec![connection]), ..Live::default() });
        assert_eq!(
            shown.lines().skip(3).collect::<Vec<_>>(),
            [
                "  PROTOCOL  STATE       FROM            TO            EXPIRES",
                "  udp       unanswered  10.0.0.2:4000   192.0.2.7:80  29 s",
                "            as          192.0.2.1:1024  192.0.2.7:80",
            ]
        );
        assert!(fits(Live::default()).contains("does not show connections"));
        let none = Live { connections: Some(Vec::new()), ..Live::default() };
        assert!(fits(none).contains("nothing of this"));
    }

    #[test]
    fn a_terminal_obeys_no_name() {
        let counters = LinkCounters { interface: "a\x1b[2J".into(), rx: Traffic::default(), tx: Traffic::default() };
        assert!(!fits(Live { counters: vec![counters], ..Live::default() }).contains('\x1b'));
    }
}
