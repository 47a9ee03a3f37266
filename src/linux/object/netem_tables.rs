//! Tables of how delays spread, as `tc` of iproute2 has them: 4096 times, in 8192ths of the jitter, each as likely
//! (`get_dist_table` in `sch_netem.c`).

use crate::resource::Distribution;
use std::sync::LazyLock;

/// How many values a table has.
const VALUES: usize = 4096;
/// One jitter (`NETEM_DIST_SCALE`).
const SCALE: f64 = 8192.0;

/// The table of a distribution.
pub fn table(distribution: Distribution) -> &'static [i16] {
    static UNIFORM: LazyLock<Vec<i16>> = LazyLock::new(|| cells().map(|share| value(2.0 * share - 1.0)).collect());
    static NORMAL: LazyLock<Vec<i16>> = LazyLock::new(|| normal().into_iter().map(value).collect());
    static PARETO: LazyLock<Vec<i16>> = LazyLock::new(|| cells().map(|share| value(pareto(share))).collect());
    static MIXED: LazyLock<Vec<i16>> = LazyLock::new(|| {
        normal()
            .into_iter()
            .zip(cells())
            .map(|(normal, share)| value((normal + 3.0 * clipped(pareto(share))) / 4.0))
            .collect()
    });
    match distribution {
        Distribution::Uniform => &UNIFORM,
        Distribution::Normal => &NORMAL,
        Distribution::Pareto => &PARETO,
        Distribution::ParetoNormal => &MIXED,
    }
}

/// Where each value stands between the lowest, 0, and the highest, 1.
fn cells() -> impl Iterator<Item = f64> {
    (0..VALUES).map(|at| at as f64 / VALUES as f64)
}

/// In the kernel's numbers.
fn value(jitters: f64) -> i16 {
    (jitters * SCALE).round().clamp(f64::from(i16::MIN), f64::from(i16::MAX)) as i16
}

/// As far as a value can be from the delay.
fn clipped(jitters: f64) -> f64 {
    jitters.clamp(f64::from(i16::MIN) / SCALE, f64::from(i16::MAX) / SCALE)
}

/// Where `share` of a Pareto distribution with an exponent of 3 is below, moved and stretched to a mean of 0 and a
/// deviation near 1.
fn pareto(share: f64) -> f64 {
    ((1.0 - share).powf(-1.0 / 3.0) - 1.5) * (4.0 / 3.0)
}

/// The values of a normal distribution: where the area under the bell passes the middle of each cell.
fn normal() -> Vec<f64> {
    const STEP: f64 = 0.0002;
    const FROM: f64 = -8.0;
    let bell = |x: f64| (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt();
    let (mut x, mut area) = (FROM, 0.0);
    // A quarter of a cell's width: `normal.c` of iproute2 makes a table of four times as many and takes every fourth.
    cells()
        .map(|share| {
            let until = share + 0.5 / (4.0 * VALUES as f64);
            while area < until && x < -FROM {
                area += bell(x + STEP / 2.0) * STEP;
                x += STEP;
            }
            x
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_its_mean_and_its_deviation() {
        // The longest tail of pareto is cut.
        for (distribution, usual, deviation) in
            [(Distribution::Uniform, 0.0, 0.577), (Distribution::Normal, 0.0, 1.0), (Distribution::Pareto, -0.033, 0.8)]
        {
            let table = table(distribution);
            assert_eq!(table.len(), VALUES);
            assert!(table.is_sorted(), "{distribution:?}");
            let values = || table.iter().map(|value| f64::from(*value) / SCALE);
            let mean = values().sum::<f64>() / VALUES as f64;
            let variance = values().map(|value| (value - mean).powi(2)).sum::<f64>() / VALUES as f64;
            assert!((mean - usual).abs() < 0.01, "{distribution:?} has the mean {mean}");
            assert!(
                (variance.sqrt() - deviation).abs() < 0.06,
                "{distribution:?} has the deviation {}",
                variance.sqrt()
            );
        }
        let mixed = table(Distribution::ParetoNormal);
        assert!(mixed.len() == VALUES && mixed.is_sorted());
    }
}
