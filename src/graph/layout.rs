//! The layout of a picture: its parts, each around its middle, side by side.

use super::layers::Network;
use super::model::Picture;
use super::order::Columns;
use super::place::{Block, Line, Piece, Placed, place};
use std::collections::BTreeSet;

/// Between two parts.
const APART: i32 = 48;

/// A picture with all at its place.
pub fn layout(picture: &Picture) -> Placed {
    let network = Network::of(picture);
    let mut parts: Vec<Placed> = Vec::new();
    for part in network.parts(&BTreeSet::new()) {
        let mut best: Option<(usize, Columns)> = None;
        for (far, middle) in network.middles(&part) {
            let columns = Columns::new(picture, &network.layers(picture, &part, &middle));
            // Two lines that cross are worse than a line that turns back, that than a bridge with two sides, and all
            // than a middle that is somewhat aside.
            let arcs = columns.arcs.len();
            let price =
                columns.crossings * 6 + arcs * 4 + columns.split(picture) * 2 + usize::try_from(far).unwrap_or(0);
            if best.as_ref().is_none_or(|(least, _)| price < *least) {
                best = Some((price, columns));
            }
        }
        parts.extend(best.map(|(_, columns)| place(picture, &columns)));
    }
    shelves(parts)
}

/// Puts parts side by side, and below each other where that gets too wide.
fn shelves(mut parts: Vec<Placed>) -> Placed {
    if parts.len() < 2 {
        return parts.pop().unwrap_or_default();
    }
    let area: i64 = parts.iter().map(|part| i64::from(part.width + APART) * i64::from(part.height + APART)).sum();
    let wide = i32::try_from((area * 2).isqrt()).unwrap_or(i32::MAX);
    let widest = parts.iter().map(|part| part.width).max().unwrap_or(0).max(wide);
    parts.sort_by_key(|part| std::cmp::Reverse(part.blocks.len()));
    let mut all = Placed::default();
    let (mut x, mut y, mut shelf) = (0, 0, 0);
    for part in parts {
        if x > 0 && x + part.width > widest {
            (x, y, shelf) = (0, y + shelf + APART, 0);
        }
        all.width = all.width.max(x + part.width);
        all.height = all.height.max(y + part.height);
        shelf = shelf.max(part.height);
        let right = x + part.width + APART;
        all.blocks.extend(part.blocks.into_iter().map(|block| moved(block, x, y)));
        all.lines.extend(part.lines.into_iter().map(|line| shifted(line, x, y)));
        x = right;
    }
    all
}

fn moved(mut block: Block, x: i32, y: i32) -> Block {
    (block.x, block.y) = (block.x + x, block.y + y);
    for band in &mut block.shape.bands {
        (band.top, band.bottom) = (band.top + y, band.bottom + y);
        band.rows.iter_mut().for_each(|row| row.y += y);
    }
    block
}

fn shifted(mut line: Line, x: i32, y: i32) -> Line {
    for piece in &mut line.pieces {
        let (Piece::Hop { from, to, .. } | Piece::Arc { from, to, .. } | Piece::Through { from, to }) = piece;
        (*from, *to) = ((from.0 + x, from.1 + y), (to.0 + x, to.1 + y));
    }
    line
}
