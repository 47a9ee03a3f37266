//! Places in a row, as near to what each wants as the distances between them allow.

/// Places in order with these distances at least, as near to what is wanted as can be: blocks that would overlap are
/// pushed together, and stand where the median of them wants to.
pub fn settle(wanted: &[Option<i32>], distances: &[i32]) -> Vec<i32> {
    let mut packed = vec![0];
    for distance in distances {
        packed.push(packed.last().copied().unwrap_or(0) + distance);
    }
    let mut groups: Vec<(Vec<i32>, usize)> = Vec::new();
    for (wish, packed) in wanted.iter().zip(&packed) {
        let wish: Vec<i32> = wish.iter().map(|wish| wish - packed).collect();
        // What wants nothing stays with what is above it.
        match groups.last_mut() {
            Some((_, count)) if wish.is_empty() => *count += 1,
            Some((wishes, count)) if wishes.is_empty() => (*wishes, *count) = (wish, *count + 1),
            _ => groups.push((wish, 1)),
        }
        while let Some((mut lower, count)) = groups.pop() {
            let wants = median(&mut lower);
            match groups.last_mut() {
                Some((upper, above)) if wants < sorted_median(upper) => {
                    upper.append(&mut lower);
                    upper.sort_unstable();
                    *above += count;
                }
                _ => {
                    groups.push((lower, count));
                    break;
                }
            }
        }
    }
    let shifts = groups.iter_mut().flat_map(|(wishes, count)| std::iter::repeat_n(median(wishes).unwrap_or(0), *count));
    shifts.zip(packed).map(|(shift, packed)| shift + packed).collect()
}

/// The median, of an even number the lower one.
pub fn median(values: &mut [i32]) -> Option<i32> {
    values.sort_unstable();
    sorted_median(values)
}

/// The median of values that are sorted.
fn sorted_median(values: &[i32]) -> Option<i32> {
    values.get(values.len().checked_sub(1)? / 2).copied()
}
