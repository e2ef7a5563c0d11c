//! "Did you mean": the nearest of the words that would have been right.

/// The candidate that `text` was probably meant to be.
pub(super) fn nearest<'c>(text: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let lower = text.to_lowercase();
    let distance = |candidate: &str| strsim::damerau_levenshtein(&lower, &candidate.to_lowercase());
    let (distance, candidate) =
        candidates.into_iter().map(|word| (distance(word), word)).min_by_key(|near| near.0)?;
    // A third of the letters may be wrong; a word of two letters may still have one wrong.
    (distance <= (text.chars().count() / 3).max(1)).then_some(candidate)
}

/// The question for the end of a message: `; did you mean `rate`?`, or nothing.
pub(super) fn question<'c>(text: &str, candidates: impl IntoIterator<Item = &'c str>) -> String {
    nearest(text, candidates).map(|word| format!("; did you mean `{word}`?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_suggested_and_a_far_one_is_not() {
        let words = ["kind", "clients", "rate", "routing"];
        assert_eq!(nearest("rat", words), Some("rate"));
        assert_eq!(nearest("Clients", words), Some("clients"));
        assert_eq!(nearest("cleints", words), Some("clients"));
        assert_eq!(nearest("colour", words), None);
        assert_eq!(nearest("", words), None);
    }
}
