//! Files and answers that are almost right: mutations by dice that show the same every time.

#![allow(dead_code, reason = "each test crate uses a part of it")]
/// Numbers that look random and follow from the first one (xorshift).
pub struct Dice(u64);

impl Dice {
    /// Dice of a seed, for one case.
    pub fn new(seed: u64, case: u64) -> Self {
        let mut dice = Self((seed ^ case.wrapping_mul(0x9e37_79b9_7f4a_7c15)) | 1);
        for _ in 0..4 {
            dice.below(2);
        }
        dice
    }

    /// A number below `limit`; 0 where that is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % limit.max(1)
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }

    /// One of these.
    pub fn one<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }
}

/// Values that a program may stumble over.
const VALUES: [&str; 56] = [
    "0",
    "-1",
    "1",
    "255",
    "256",
    "4094",
    "4095",
    "65535",
    "65536",
    "4294967295",
    "4294967296",
    "18446744073709551616",
    "1e309",
    "0x7fffffff",
    "017",
    "nan",
    "~",
    "true",
    "no",
    "''",
    "'*'",
    "\"\\u0000\"",
    "\"\\e[5m\"",
    "\"\\u202e\"",
    "'../../etc/passwd'",
    "'..'",
    "'.'",
    "'/'",
    "host",
    "lo",
    "all",
    "default",
    "'!br0'",
    "'%d'",
    "10.0.0.1",
    "10.0.0.1/24",
    "10.0.0.0/24",
    "0.0.0.0/0",
    "255.255.255.255/32",
    "'::1/128'",
    "'::/0'",
    "'fe80::1'",
    "'ff02::1/64'",
    "'::ffff:10.0.0.1/120'",
    "'02:00:00:00:00:01'",
    "'ff:ff:ff:ff:ff:ff'",
    "[]",
    "{}",
    "[[]]",
    "[~]",
    "{ a: b }",
    "host/eth0",
    "RED/eth0",
    "20ms",
    "99999999999h",
    "'\"; flush ruleset; #'",
];

/// Pieces that change what a text is.
const PIECES: [&str; 22] = [
    "&a ",
    "*a",
    "!!binary ",
    "!",
    "- ",
    ": ",
    "? ",
    "{",
    "}",
    "[",
    "]",
    "|",
    ">",
    "\"",
    "'",
    "#",
    "---\n",
    "...\n",
    "<<: *a\n",
    "\t",
    "\u{feff}",
    "\u{85}",
];

/// Where the scalars of a YAML text stand, roughly: runs of what a value is made of.
fn words(text: &str) -> Vec<(usize, usize)> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        let part = c.is_alphanumeric() || "./:_-*!%".contains(c);
        match (part, start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                words.push((from, at));
                start = None;
            }
            _ => {}
        }
    }
    words
}

fn boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// A text like `text`, with something of `others` in it now and then.
pub fn text(text: &str, others: &[String], dice: &mut Dice) -> String {
    let mut text = text.to_owned();
    for _ in 0..=dice.below(3) {
        text = match dice.below(20) {
            0..=11 => value(&text, dice),
            12 | 13 => lines(&text, dice),
            14..=16 => of_another(&text, others, dice),
            17 => {
                let at = boundary(&text, dice.below(text.len() + 1));
                format!("{}{}{}", &text[..at], dice.one(&PIECES), &text[at..])
            }
            18 => repeated(&text, dice),
            _ => cut(&text, dice),
        };
    }
    text
}

/// A value becomes another one: one of the text's own, or one to stumble over.
fn value(text: &str, dice: &mut Dice) -> String {
    let words = words(text);
    let Some((from, to)) = words.get(dice.below(words.len())).copied() else { return text.to_owned() };
    // A key keeps its colon.
    let to = if text[from..to].ends_with(':') && to - from > 1 { to - 1 } else { to };
    let new = if dice.below(2) == 0 {
        let (from, to) = words[dice.below(words.len())];
        text[from..to].trim_end_matches(':').to_owned()
    } else {
        dice.one(&VALUES).to_owned()
    };
    format!("{}{new}{}", &text[..from], &text[to..])
}

/// A line goes, comes twice, moves, or stands deeper.
fn lines(text: &str, dice: &mut Dice) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if lines.is_empty() {
        return text.to_owned();
    }
    let at = dice.below(lines.len());
    match dice.below(4) {
        0 => _ = lines.remove(at),
        1 => {
            let line = lines[at].clone();
            lines.insert(dice.below(lines.len() + 1), line);
        }
        2 => {
            let other = dice.below(lines.len());
            lines.swap(at, other);
        }
        _ => {
            let blanks = dice.below(5);
            let line = lines[at].trim_start().to_owned();
            lines[at] = format!("{}{line}", " ".repeat(blanks));
        }
    }
    lines.join("\n") + "\n"
}

/// A line of another file.
fn of_another(text: &str, others: &[String], dice: &mut Dice) -> String {
    let other: Vec<&str> = others.get(dice.below(others.len())).map(|text| text.lines().collect()).unwrap_or_default();
    let mut lines: Vec<&str> = text.lines().collect();
    if let Some(line) = other.get(dice.below(other.len())) {
        let at = dice.below(lines.len() + 1);
        if dice.below(2) == 0 && at < lines.len() {
            lines[at] = line;
        } else {
            lines.insert(at, line);
        }
    }
    lines.join("\n") + "\n"
}

/// A part comes many times.
fn repeated(text: &str, dice: &mut Dice) -> String {
    let from = boundary(text, dice.below(text.len() + 1));
    let to = boundary(text, (from + 1 + dice.below(80)).min(text.len()));
    let times = [2, 10, 100, 3000][dice.below(4)];
    format!("{}{}{}", &text[..from], text[from..to].repeat(times), &text[to..])
}

/// A part goes.
fn cut(text: &str, dice: &mut Dice) -> String {
    let from = boundary(text, dice.below(text.len() + 1));
    let to = if dice.below(4) == 0 { text.len() } else { boundary(text, (from + 1 + dice.below(60)).min(text.len())) };
    format!("{}{}", &text[..from], &text[to..])
}

/// Numbers at the edges.
const EDGES: [u32; 8] = [0, 1, 0x7f, 0xff, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff];

/// Changes a packet of netlink messages: mostly inside of its attributes, so that somebody has to read them.
pub fn packet(bytes: &mut Vec<u8>, dice: &mut Dice) {
    for _ in 0..=dice.below(4) {
        if bytes.len() < 20 {
            return;
        }
        match dice.below(16) {
            0 => bytes.truncate(dice.below(bytes.len())),
            1 => {
                // The length or the type of a message.
                let at = dice.below(8);
                bytes[at] = dice.byte();
            }
            2 => {
                let from = 16 + dice.below(bytes.len() - 16);
                let to = (from + dice.below(40)).min(bytes.len());
                let copy = bytes[from..to].to_vec();
                bytes.splice(from..from, copy);
            }
            _ => inside(bytes, dice),
        }
    }
}

/// Changes a packet so that its messages stay where they are.
pub fn inside(bytes: &mut [u8], dice: &mut Dice) {
    let messages = messages(bytes);
    let Some((from, to)) = messages.get(dice.below(messages.len())).copied() else { return };
    let at = from + 16 + dice.below((to - from).saturating_sub(16));
    if at >= to {
        return;
    }
    match dice.below(5) {
        0 => bytes[at] = dice.byte(),
        1 => bytes[at] ^= 1 << dice.below(8),
        2 => {
            let at = at & !3;
            let edge = EDGES[dice.below(EDGES.len())].to_ne_bytes();
            let end = (at + 4).min(to);
            bytes[at..end].copy_from_slice(&edge[..end - at]);
        }
        3 => {
            // The length or the type of an attribute, most likely: they stand at every fourth byte.
            let at = at & !3;
            bytes[at] = [0, 1, 3, 4, 5, 8, 200, 255][dice.below(8)];
        }
        _ => {
            let end = (at + dice.below(16)).min(to);
            let byte = dice.byte();
            bytes[at..end].fill(byte);
        }
    }
}

/// Where the messages of a packet are.
fn messages(bytes: &[u8]) -> Vec<(usize, usize)> {
    let (mut messages, mut at) = (Vec::new(), 0);
    while let Some(length) = bytes.get(at..at + 4).map(|four| u32::from_ne_bytes(four.try_into().unwrap()) as usize) {
        if length < 16 || at + length > bytes.len() {
            break;
        }
        messages.push((at, at + length));
        at += length.next_multiple_of(4);
    }
    messages
}
