//! HTML: one file that asks for nothing from elsewhere. The picture is data, drawn by a script that knows no markup.

use super::fold::{self, Fold};
use super::model::Picture;
use super::scene::{Scene, scene};
use super::style;
use super::svg::escape;
use crate::render::page;
use serde::Serialize;
use std::collections::BTreeMap;

/// The script of the page.
pub const SCRIPT: &str = include_str!("page/page.js");
/// The style of the page, besides that of pictures.
const STYLE: &str = include_str!("page/page.css");
/// SHA-256 of [`SCRIPT`], as the policy has it: a browser runs no other one.
pub const SCRIPT_HASH: &str = "iKo711nMUoDO7wXvfl2uUJyMD3eSVzyM5VkX4qE/zXo=";
/// SHA-256 of [`css`].
pub const STYLE_HASH: &str = "m9mYsiy2caN1V/ajhsHX5dr1D4M15sPD9eEUmoMmqlg=";

/// No fold is open.
const NONE: i32 = -1;
/// All are.
const ALL: i32 = -2;
/// So many folds can be opened one by one; then all of them at once.
const EACH: usize = 16;

#[derive(Serialize)]
struct Data<'a> {
    scenes: Vec<Open>,
    folds: Vec<Vec<&'a str>>,
    nodes: BTreeMap<&'a str, About>,
}

/// A scene, and which fold is open in it.
#[derive(Serialize)]
struct Open {
    open: i32,
    scene: Scene,
}

#[derive(Serialize)]
struct About {
    name: String,
    lines: Vec<(String, &'static str)>,
}

/// The style sheet.
pub fn css() -> String {
    format!("{STYLE}{}", style::css())
}

/// The picture as a page.
pub fn text(picture: &Picture) -> String {
    // A script that ends early would begin with `<`; nothing in JSON has to be written with one.
    let json = serde_json::to_string(&data(picture)).unwrap_or_default().replace('<', "\\u003c");
    let title = escape(&page::escape(&picture.title));
    let class = if picture.change { "topo change" } else { "topo" };
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'sha256-{SCRIPT_HASH}'; style-src 'sha256-{STYLE_HASH}'; base-uri 'none'; form-action 'none'\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n<style>{}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>\n<input id=\"search\" type=\"search\" placeholder=\"search, Enter: next\" aria-label=\"search\">\n<span id=\"found\" role=\"status\"></span>\n<button id=\"closer\" title=\"closer\">+</button>\n<button id=\"further\" title=\"further away\">−</button>\n<button id=\"fit\">fit</button>\n<button id=\"unfold\" hidden>unfold all</button>\n</header>\n<main>\n<svg id=\"canvas\" class=\"{class}\" xmlns=\"http://www.w3.org/2000/svg\"></svg>\n<aside id=\"about\"><p>Point at a node for all that it has. Drag to move, scroll to zoom; a click on nodes that are alike folds or unfolds them.</p></aside>\n</main>\n<script type=\"application/json\" id=\"data\">{json}</script>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
        css()
    )
}

fn data(picture: &Picture) -> Data<'_> {
    let folds = fold::folds(picture, 2);
    let open = |open: i32, folds: &[Fold]| Open { open, scene: scene(&fold::fold(picture, folds)) };
    let mut scenes = vec![open(NONE, &folds)];
    if !folds.is_empty() {
        scenes.push(open(ALL, &[]));
        if folds.len() > 1 && folds.len() <= EACH {
            for fold in 0..folds.len() {
                let others: Vec<Fold> =
                    folds.iter().enumerate().filter(|(at, _)| *at != fold).map(|(_, fold)| fold.clone()).collect();
                scenes.push(open(i32::try_from(fold).unwrap_or(NONE), &others));
            }
        }
        // A small picture begins with all that there is.
        if fold::first(picture).is_empty() {
            scenes.swap(0, 1);
        }
    }
    let key = |at: &usize| picture.nodes.get(*at).map(|node| node.key.as_str());
    let folds = folds.iter().map(|fold| fold.iter().filter_map(key).collect()).collect();
    let about = |node: &super::model::Node| About {
        name: page::escape(&node.name),
        lines: node.details.iter().map(|line| (page::escape(&line.text), line.mark.word())).collect(),
    };
    let nodes = picture.nodes.iter().map(|node| (node.key.as_str(), about(node))).collect();
    Data { scenes, folds, nodes }
}
