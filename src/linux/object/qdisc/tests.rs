use super::*;
use crate::document::Word;
use crate::document::value::{Duration, Percent, Rate};

/// A stream of numbers that look random (`xorshift64*`).
struct Dice(u64);

impl Dice {
    fn throw(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % below
    }

    /// A number as another program may write it: few digits or many, with and without a point.
    fn number(&mut self, below: u64) -> String {
        let whole = self.throw(below);
        match self.throw(4) {
            0 => format!("{whole}.{}", self.throw(10)),
            1 => format!("{whole}.{:03}", self.throw(1000)),
            _ => whole.to_string(),
        }
    }

    fn one_of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.throw(words.len() as u64) as usize]
    }

    fn percent(&mut self) -> Share {
        let digits = self.throw(9) as usize;
        let text = format!("{}.{:0digits$}%", self.throw(100), self.throw(10_u64.pow(digits as u32)));
        Percent::parse(text.trim_end_matches('.')).or_else(|_| Percent::parse("0%")).unwrap().share
    }

    fn time(&mut self) -> Nanoseconds {
        let text = format!("{}{}", self.number(2_000), self.one_of(&["s", "ms", "us", "ns"]));
        Nanoseconds(Duration::parse(&text).unwrap().nanoseconds)
    }

    fn netem(&mut self) -> Netem {
        let rate = loop {
            let unit = self
                .one_of(&["bit", "kbit", "mbit", "gbit", "kibit", "mibit", "gibit", "bps", "kbps", "mbps", "gibps"]);
            if let Ok(rate) = Rate::parse(&format!("{}{unit}", self.number(2_000))) {
                break rate;
            }
        };
        Netem {
            delay: self.time(),
            jitter: Nanoseconds(self.time().0.min(i32::MAX as u64)),
            distribution: Distribution::ALL[self.throw(4) as usize],
            loss: self.percent(),
            duplicate: self.percent(),
            corrupt: self.percent(),
            reorder: self.percent(),
            rate: ByteRate(if self.throw(3) == 0 { 0 } else { rate.bits / 8 }),
            limit: 1 + self.throw(u64::from(u32::MAX)) as u32,
        }
    }
}

fn seen(kind: &str, handle: u32, parent: u32, options: &[u8]) -> Option<Seen> {
    let mut body = Writer::new(&head(7, handle, parent));
    body.text(KIND, kind).put(OPTIONS, options);
    parse(body.bytes())
}

#[test]
fn what_is_written_is_read_back() {
    let mut dice = Dice(0x7470);
    for _ in 0..20_000 {
        let netem = dice.netem();
        let table = Some(netem.distribution).filter(|_| dice.throw(50) == 0);
        let seen = seen("netem", handle(netem.distribution), ROOT, write(&netem, table).bytes()).unwrap();
        let qdisc = seen.qdisc(&"RED".into(), "eth0".into());
        assert_eq!(qdisc, Qdisc { link: LinkId::new("RED", "eth0"), work: Work::Netem(netem), marked: true });
    }
}

#[test]
fn what_is_shown_is_read_as_the_same() {
    let mut dice = Dice(0x7471);
    for _ in 0..20_000 {
        let netem = dice.netem();
        for (name, text) in netem.fields() {
            let same = match name {
                "delay" => Duration::parse(&text).unwrap().nanoseconds == netem.delay.0,
                "jitter" => Duration::parse(&text).unwrap().nanoseconds == netem.jitter.0,
                "rate" => Rate::parse(&text).unwrap().bits / 8 == netem.rate.0,
                "loss" => Percent::parse(&text).unwrap().share == netem.loss,
                "duplicate" => Percent::parse(&text).unwrap().share == netem.duplicate,
                "corrupt" => Percent::parse(&text).unwrap().share == netem.corrupt,
                "reorder" => Percent::parse(&text).unwrap().share == netem.reorder,
                "distribution" => text == netem.distribution.word(),
                _ => text == netem.limit.to_string(),
            };
            assert!(same, "{name} {text} of {netem:?}");
        }
    }
}

#[test]
fn the_kernels_own_and_those_below_the_root_are_not_seen() {
    assert!(seen("fq_codel", 0, ROOT, &[]).is_none());
    assert!(seen("fq_codel", 0x8001_0000, 0x7470_0001, &[]).is_none());
    let other = seen("fq_codel", 0x8001_0000, ROOT, &[1, 2, 3, 4]).unwrap().qdisc(&"RED".into(), "eth0".into());
    assert_eq!(
        (other.marked, other.work),
        (false, Work::Other { kind: "fq_codel".into(), more: String::new(), options: vec![1, 2, 3, 4] })
    );
}

#[test]
fn what_topo_has_no_words_for_is_told() {
    let netem = Netem { delay: Nanoseconds(20_000_000), limit: 1000, ..Netem::default() };
    let mut options = Writer::new(&words(&[312_500, 1000, 0, 2, 0, 0]));
    options.put(CORRELATION, &words(&[1, 0, 0])).put(RATE, &words(&[5, 0, 53, 5])).nest(LOSS, |loss| {
        loss.put(2, &words(&[1, 2, 3, 4]));
    });
    options.put(ECN, &words(&[1])).put(SLOT, &[1; SLOT_LENGTH]);
    let (read, more) = read(options.bytes(), Distribution::Uniform).unwrap();
    assert_eq!(read, Netem { rate: ByteRate(5), ..netem });
    assert_eq!(more, ["correlation", "gap", "loss model", "overhead", "ecn", "slot"]);
    let seen = seen("netem", 0x8001_0000, ROOT, options.bytes()).unwrap().qdisc(&"RED".into(), "eth0".into());
    assert_eq!(seen.work.kind(), "netem with correlation, gap, loss model, overhead, ecn, slot");
}

#[test]
fn every_truncation_is_survived() {
    let netem = Dice(3).netem();
    let mut body = Writer::new(&head(7, handle(netem.distribution), ROOT));
    body.text(KIND, "netem").put(OPTIONS, write(&netem, None).bytes());
    for cut in 0..body.bytes().len() {
        if let Some(seen) = parse(&body.bytes()[..cut]) {
            let _ = seen.qdisc(&"RED".into(), "eth0".into());
        }
    }
}
