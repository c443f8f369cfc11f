//! Which known word a misspelt one was probably meant to be.

use alloc::vec::Vec;

/// The longest word that is compared, in characters.
const LONGEST: usize = 40;

/// The known word nearest to `word`, if it is near enough to be meant.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let letters: Vec<char> = word.chars().take(LONGEST + 1).collect();
    if letters.len() > LONGEST {
        return None;
    }
    let (distance, best) =
        known.into_iter().map(|known| (distance(&letters, known), known)).min()?;
    let near_enough = distance <= letters.len().div_ceil(3);
    near_enough.then_some(best)
}

/// How many letters must be added, dropped, changed or swapped with their neighbour.
fn distance(word: &[char], known: &str) -> usize {
    let known: Vec<char> = known.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=known.len()).collect();
    for (row, &letter) in word.iter().enumerate() {
        let mut next = Vec::with_capacity(last.len());
        next.push(row + 1);
        for (column, &wanted) in known.iter().enumerate() {
            let changed = last[column] + usize::from(letter != wanted);
            let mut best = changed.min(last[column + 1] + 1).min(next[column] + 1);
            let swapped =
                row > 0 && column > 0 && letter == known[column - 1] && word[row - 1] == wanted;
            if swapped {
                best = best.min(before[column - 1] + 1);
            }
            next.push(best);
        }
        before = core::mem::replace(&mut last, next);
    }
    last[known.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_understood_and_a_stranger_is_not() {
        let known = ["timeout", "paths", "endpoints", "health"];
        for (word, meant) in [
            ("timeuot", Some("timeout")),
            ("path", Some("paths")),
            ("endpoint", Some("endpoints")),
            ("helth", Some("health")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
    }
}
